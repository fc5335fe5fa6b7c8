"""The parts of a blueprint and what they use, read from the construct tree and the template of a stack."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cdk_ml_lens.review import intrinsics

MOST_PARTS = 15
SMALLEST_SPLIT = 10  # resources; what is smaller stays one box
# Said in one muted line: a picture that shows each alarm and role shows nothing.
PLUMBING = {
    "AWS::CloudWatch::Alarm": "alarm",
    "AWS::IAM::Role": "role",
    "AWS::Logs::LogGroup": "log group",
    "AWS::KMS::Key": "key",
}
SILENT = ("Policy", "LogStream", "Permission", "EventInvokeConfig", "SecurityConfiguration", "Metadata")
# References that every part has, and that say nothing about the way of the data.
_NOT_USED = ("AWS::KMS::Key", "AWS::Logs::LogGroup", "AWS::Logs::LogStream")


@dataclass(frozen=True, kw_only=True)
class Part:
    """A construct of the stack as one box.

    Parameters
    ----------
    path : tuple of str
        Ids of the constructs from the stack down.
    logical_ids : frozenset of str
        Its resources.
    shown : mapping of str to int
        Resource types worth a line, and how many there are.
    plumbing : mapping of str to int
        The others, by their word in `PLUMBING`.
    """

    path: tuple[str, ...]
    logical_ids: frozenset[str]
    shown: Mapping[str, int]
    plumbing: Mapping[str, int]


@dataclass(frozen=True, kw_only=True)
class Blueprint:
    """Parts of one stack and which of them use which."""

    name: str
    parts: tuple[Part, ...]
    uses: frozenset[tuple[int, int]]


def read(assembly: Path, stack: str) -> Blueprint:
    """Read one stack of a cloud assembly.

    Parameters
    ----------
    assembly : Path
        Folder with ``tree.json``, the template and the metadata.
    stack : str
        Artifact id of the stack.
    """
    tree = json.loads((assembly / "tree.json").read_text(encoding="utf-8"))["tree"]["children"][stack]
    template = json.loads((assembly / f"{stack}.template.json").read_text(encoding="utf-8"))
    ids = _logical_ids(assembly, stack)
    groups = _split(tree, {path: name for path, name in ids.items() if name in template["Resources"]})
    parts = tuple(_part(path, names, template["Resources"]) for path, names in groups.items())
    drawn = tuple(part for part in parts if part.shown)
    return Blueprint(name=stack, parts=drawn, uses=frozenset(_uses(drawn, template["Resources"])))


def _logical_ids(assembly: Path, stack: str) -> dict[str, str]:
    """Return the logical id of each resource by its path in the tree, without the stack's name."""
    kept = assembly / f"{stack}.metadata.json"
    manifest = json.loads((assembly / "manifest.json").read_text(encoding="utf-8"))["artifacts"][stack]
    metadata = json.loads(kept.read_text(encoding="utf-8")) if kept.exists() else manifest["metadata"]
    return {
        path.removeprefix(f"/{stack}/"): str(entry["data"])
        for path, entries in metadata.items()
        for entry in entries
        if entry["type"] == "aws:cdk:logicalId"
    }


def _split(tree: Mapping[str, Any], ids: Mapping[str, str]) -> dict[tuple[str, ...], list[str]]:
    """Open the largest construct again and again, until there are enough boxes or none is worth opening.

    What is opened keeps a box of its own for the resources that are directly in it.
    """
    boxes: dict[tuple[str, ...], list[str]] = {(): list(ids.values())}
    nodes: dict[tuple[str, ...], Mapping[str, Any]] = {(): tree}
    closed: set[tuple[str, ...]] = set()
    while len(boxes) < MOST_PARTS:
        open_ones = [path for path in boxes if path not in closed and len(boxes[path]) > SMALLEST_SPLIT]
        if not open_ones:
            break
        path = max(open_ones, key=lambda path: len(boxes[path]))
        closed.add(path)
        for name, child in _constructs(nodes[path]).items():
            inner = (*path, name)
            if found := _below(inner, ids):
                boxes[inner], nodes[inner] = found, child
                boxes[path] = [kept for kept in boxes[path] if kept not in found]
    return {path: found for path, found in boxes.items() if found}


def _constructs(node: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Return the children that are constructs of ours, and not single resources of the CDK."""
    children = node.get("children", {})
    return {name: child for name, child in children.items() if child["constructInfo"]["fqn"] == "constructs.Construct"}


def _below(path: tuple[str, ...], ids: Mapping[str, str]) -> list[str]:
    start = "/".join(path)
    return [name for place, name in ids.items() if place.startswith(f"{start}/")]


def _part(path: tuple[str, ...], names: list[str], resources: Mapping[str, Any]) -> Part:
    types = Counter(str(resources[name]["Type"]) for name in names)
    shown = {type: n for type, n in types.items() if type not in PLUMBING and not type.endswith(SILENT)}
    plumbing = {PLUMBING[type]: n for type, n in types.items() if type in PLUMBING}
    return Part(path=path, logical_ids=frozenset(names), shown=shown, plumbing=plumbing)


def _uses(parts: tuple[Part, ...], resources: Mapping[str, Any]) -> Iterator[tuple[int, int]]:
    owner = {name: number for number, part in enumerate(parts) for name in part.logical_ids}
    for name, number in owner.items():
        if resources[name]["Type"] == "AWS::CloudWatch::Alarm":
            continue
        for used in intrinsics.references(resources[name].get("Properties", {})):
            other = owner.get(used)
            if other not in (None, number) and resources[used]["Type"] not in _NOT_USED:
                yield number, int(other)
