"""Reads a CDK cloud assembly: where a stack's template and assets are."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_EPOCH = (1980, 1, 1, 0, 0, 0)


class AssemblyError(ValueError):
    """The assembly does not have what was asked for, or has what the laptop cloud cannot deploy."""


@dataclass(frozen=True, kw_only=True)
class Asset:
    """One file asset and one of its destinations; bucket and key may have AWS placeholders."""

    source: Path
    packaging: str
    bucket: str
    key: str

    def content(self) -> bytes:
        """Return what is uploaded: the file, or a zip of the folder with identical bytes each time."""
        return self.source.read_bytes() if self.packaging == "file" else zipped(self.source)


@dataclass(frozen=True, kw_only=True)
class StackArtifact:
    """One stack of an assembly."""

    stack_name: str
    template: Path
    assets: tuple[Asset, ...]


def find_stack(assembly_dir: Path, name: str) -> StackArtifact:
    """Return the stack called ``name``: its stack name, or its artifact id.

    Raises
    ------
    AssemblyError
        If there is no such stack, or it has container image assets.
    """
    stacks = list(_stacks(assembly_dir))
    for folder, artifact_id, artifact, artifacts in stacks:
        stack_name = artifact.get("properties", {}).get("stackName", artifact_id)
        if name in (stack_name, artifact_id, artifact.get("displayName")):
            return StackArtifact(
                stack_name=stack_name,
                template=folder / artifact["properties"]["templateFile"],
                assets=tuple(_assets(folder, artifact, artifacts)),
            )
    known = ", ".join(artifact_id for _, artifact_id, _, _ in stacks) or "none"
    raise AssemblyError(f"stack must be in {assembly_dir}, got {name}; it has: {known}")


def _stacks(folder: Path) -> Iterator[tuple[Path, str, dict[str, Any], dict[str, Any]]]:
    manifest = folder / "manifest.json"
    if not manifest.exists():
        raise AssemblyError(f"{folder} must be a CDK assembly, got a folder without manifest.json; synthesize first")
    artifacts: dict[str, Any] = json.loads(manifest.read_text()).get("artifacts", {})
    for artifact_id, artifact in artifacts.items():
        if artifact["type"] == "aws:cloudformation:stack":
            yield folder, artifact_id, artifact, artifacts
        elif artifact["type"] == "cdk:cloud-assembly":
            yield from _stacks(folder / artifact["properties"]["directoryName"])


def _assets(folder: Path, artifact: dict[str, Any], artifacts: dict[str, Any]) -> Iterator[Asset]:
    for dependency in artifact.get("dependencies", []):
        if artifacts[dependency]["type"] == "cdk:asset-manifest":
            yield from _asset_file(folder, folder / artifacts[dependency]["properties"]["file"])


def _asset_file(folder: Path, manifest: Path) -> Iterator[Asset]:
    content = json.loads(manifest.read_text())
    if content.get("dockerImages"):
        raise AssemblyError(f"{manifest.name} has container images; the laptop cloud runs without Docker")
    for item in content.get("files", {}).values():
        for destination in item["destinations"].values():
            yield Asset(
                source=folder / item["source"]["path"],
                packaging=item["source"]["packaging"],
                bucket=destination["bucketName"],
                key=destination["objectKey"],
            )


def zipped(folder: Path) -> bytes:
    """Return a zip of ``folder``: sorted names, one fixed time, kept permissions."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(item for item in folder.rglob("*") if item.is_file()):
            entry = zipfile.ZipInfo(path.relative_to(folder).as_posix(), _EPOCH)
            entry.external_attr = (path.stat().st_mode & 0o777) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, path.read_bytes())
    return buffer.getvalue()
