"""Reads a CDK cloud assembly: templates of its stacks, nested stacks and stages, and where each resource stands."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from cdk_ml_lens.review import lines
from cdk_ml_lens.review.template import Template

_SUFFIX = ".template.json"


class AssemblyError(ValueError):
    """The folder is no cloud assembly, or one that cannot be read."""


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """One template of an assembly.

    Parameters
    ----------
    app : str
        Name of the assembly in the report.
    stack : str
        Construct path of the stack: ``Prod/Network``; of a nested stack, the path below its parent.
    file : str
        Template, relative to the assembly.
    text : str
        What the file holds.
    paths : mapping of str to str
        Construct path by logical id, as far as the assembly tells.
    """

    app: str
    stack: str
    file: str
    text: str
    paths: Mapping[str, str]

    @cached_property
    def template(self) -> Template:
        """The parsed template."""
        return Template(json.loads(self.text))

    @cached_property
    def lines(self) -> dict[str, int]:
        """Line by logical id."""
        return lines.of_resources(self.text)


@dataclass(frozen=True, kw_only=True)
class Assembly:
    """A cloud assembly: what ``cdk synth`` left in a folder.

    Parameters
    ----------
    name : str
        Name in the report.
    folder : Path
    sheets : tuple of Sheet
        In the order of the manifest; nested stacks after their parent.
    """

    name: str
    folder: Path
    sheets: tuple[Sheet, ...]

    def document(self, file: str) -> Any:
        """Return a JSON file of the assembly; None if it is not there."""
        path = self.folder / file
        return _json(path) if path.exists() else None


def read(folder: Path, *, name: str) -> Assembly:
    """Read the assembly in ``folder``.

    Parameters
    ----------
    folder : Path
        The folder that ``cdk synth`` wrote: ``cdk.out``.
    name : str
        Name in the report.

    Raises
    ------
    AssemblyError
        If the folder is missing, has no manifest, has no stack, or holds broken JSON.
    """
    if not folder.is_dir():
        raise AssemblyError(f"CDK_OUT must be a folder that `cdk synth` wrote, got {folder}, which is no folder")
    sheets = tuple(_sheets(folder, folder, name))
    if not sheets:
        raise AssemblyError(f"CDK_OUT must hold a stack, got {folder} without any; is its app empty?")
    return Assembly(name=name, folder=folder, sheets=sheets)


def _sheets(root: Path, folder: Path, name: str) -> Iterator[Sheet]:
    manifest = folder / "manifest.json"
    if not manifest.exists():
        raise AssemblyError(f"CDK_OUT must be a cloud assembly, got {folder} without manifest.json; run `cdk synth`")
    for artifact_id, artifact in _mapping(_json(manifest).get("artifacts")).items():
        properties = _mapping(artifact.get("properties"))
        if artifact.get("type") == "aws:cloudformation:stack":
            yield from _stack(root, folder, name, artifact_id, artifact)
        elif artifact.get("type") == "cdk:cloud-assembly":
            yield from _sheets(root, folder / str(properties.get("directoryName")), name)


def _stack(root: Path, folder: Path, name: str, artifact_id: str, artifact: Mapping[str, Any]) -> Iterator[Sheet]:
    main = str(_mapping(artifact.get("properties")).get("templateFile"))
    if not main.endswith(".json"):
        raise AssemblyError(f"templates must be JSON, got {main} of {artifact_id}")
    metadata = _metadata(folder, artifact)
    stacks = dict(_stack_paths(metadata))
    display = str(artifact.get("displayName", artifact_id)).split(" (")[0]
    for file in (main, *_nested(folder / main)):
        text = _text(folder / file)
        noted = _logical_ids(metadata)
        known = {logical_id: path for path, logical_id in noted if _owner(path, stacks) in (file, None)}
        yield Sheet(
            app=name,
            stack=next((path for path, template in stacks.items() if template == file), "")
            or (display if file == main else f"{display}/{file.removesuffix(_SUFFIX).removesuffix('.nested')}"),
            file=(folder / file).relative_to(root).as_posix(),
            text=text,
            paths={**known, **dict(_own_paths(_parsed(folder / file, text)))},
        )


def _metadata(folder: Path, artifact: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Return what the CDK noted by construct path: in the manifest, or since 2.230 in a file of its own."""
    extra = artifact.get("additionalMetadataFile")
    aside = _json(folder / str(extra)) if extra is not None and (folder / str(extra)).exists() else {}
    return {**_mapping(artifact.get("metadata")), **_mapping(aside)}


def _stack_paths(metadata: Mapping[str, list[Any]]) -> Iterator[tuple[str, str]]:
    for path, entries in metadata.items():
        yield from ((path[1:], str(entry["data"])) for entry in entries if entry.get("type") == "aws:cdk:templateFile")


def _logical_ids(metadata: Mapping[str, list[Any]]) -> Iterator[tuple[str, str]]:
    for path, entries in metadata.items():
        yield from ((path[1:], str(entry["data"])) for entry in entries if entry.get("type") == "aws:cdk:logicalId")


def _owner(path: str, stacks: Mapping[str, str]) -> str | None:
    """Return the template that a construct is in: that of the nearest stack above it; None if the CDK tells none."""
    above = [stack for stack in stacks if path.startswith(f"{stack}/")]
    return stacks[max(above, key=len)] if above else None


def _own_paths(document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield what templates with path metadata tell themselves."""
    for logical_id, body in _mapping(document.get("Resources")).items():
        path = _mapping(_mapping(body).get("Metadata")).get("aws:cdk:path")
        if isinstance(path, str):
            yield logical_id, path


def _nested(main: Path) -> list[str]:
    """Return the templates of nested stacks, which are file assets of the stack, in their order."""
    assets = main.with_name(f"{main.name.removesuffix(_SUFFIX)}.assets.json")
    files = _mapping(_json(assets).get("files")).values() if assets.exists() else ()
    names = dict.fromkeys(str(_mapping(file.get("source")).get("path", "")) for file in files)
    return [name for name in names if name.endswith(f".nested{_SUFFIX}") and (main.parent / name).exists()]


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise AssemblyError(f"CDK_OUT must be complete, got none of {path.name}: {error.strerror}") from error


def _json(path: Path) -> Any:
    return _parsed(path, _text(path))


def _parsed(path: Path, text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise AssemblyError(f"{path} must be JSON, got text that breaks off or never was: {error}") from error
