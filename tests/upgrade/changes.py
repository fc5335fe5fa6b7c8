"""What an update of a stack does to its stateful resources, read from both templates as a change set would tell it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

from cdk_ml_lens.review import intrinsics

# What holds data, or is known by name to somebody outside: devices, queries, encrypted objects, dashboards of others.
STATEFUL = (
    "AWS::Athena::WorkGroup",
    "AWS::DynamoDB::Table",
    "AWS::Glue::Database",
    "AWS::Glue::Table",
    "AWS::IoT::Policy",
    "AWS::IoT::Thing",
    "AWS::IoT::ThingGroup",
    "AWS::IoT::ThingType",
    "AWS::KMS::Key",
    "AWS::Kinesis::Stream",
    "AWS::KinesisFirehose::DeliveryStream",
    "AWS::Logs::LogGroup",
    "AWS::S3::Bucket",
    "AWS::SNS::Topic",
    "AWS::SQS::Queue",
    "AWS::SageMaker::Endpoint",
    "AWS::SageMaker::FeatureGroup",
    "AWS::SageMaker::ModelPackageGroup",
)
_CREATE_ONLY = ("createOnlyProperties", "conditionalCreateOnlyProperties")
_ABSENT = object()


@dataclass(frozen=True, kw_only=True)
class Change:
    """A stateful resource that an update would delete or replace."""

    logical_id: str
    type: str
    what: str

    def __str__(self) -> str:
        return f"{self.type} {self.logical_id} {self.what}"


def losses(old: dict[str, Any], new: dict[str, Any]) -> list[Change]:
    """Return the stateful resources of ``old`` that updating to ``new`` deletes or replaces.

    A resource is replaced if a property changes that its schema calls create-only, or if such a property refers to a
    resource that is replaced. Values that only the deployment knows count as changed when their expression changes.
    """
    before, after = old["Resources"], new["Resources"]
    replaced = _replaced(before, after)
    found = []
    for logical_id, resource in before.items():
        if resource["Type"] not in STATEFUL:
            continue
        if logical_id not in after:
            what = f"is deleted: the new template has no such logical id{_heir(resource, before, after)}"
        elif logical_id in replaced:
            what = f"is replaced: {replaced[logical_id]}"
        else:
            continue
        found.append(Change(logical_id=logical_id, type=resource["Type"], what=what))
    return found


def _replaced(before: dict[str, Any], after: dict[str, Any]) -> dict[str, str]:
    """Return the reason by logical id, following references until nothing is added."""
    replaced: dict[str, str] = {}
    while True:
        added = {
            logical_id: reason
            for logical_id, resource in before.items()
            if logical_id in after and logical_id not in replaced
            if (reason := _reason(resource, after[logical_id], replaced)) is not None
        }
        if not added:
            return replaced
        replaced |= added


def _reason(old: dict[str, Any], new: dict[str, Any], replaced: dict[str, str]) -> str | None:
    if old["Type"] != new["Type"]:
        return f"its type becomes {new['Type']}"
    for path in _create_only(old["Type"]):
        was, becomes = (_at(side.get("Properties", {}), path) for side in (old, new))
        if was is not _ABSENT and becomes is not _ABSENT and was != becomes:
            return f"{'.'.join(path)} cannot be updated, and changes from {_short(was)} to {_short(becomes)}"
        if (was is _ABSENT) != (becomes is _ABSENT):
            return f"{'.'.join(path)} cannot be updated, and is {'added' if was is _ABSENT else 'removed'}"
        gone = next((name for name in intrinsics.references(becomes) if name in replaced), None)
        if gone is not None:
            return f"{'.'.join(path)} refers to {gone}, which is replaced"
    return None


def _create_only(type: str) -> Iterator[tuple[str, ...]]:
    if type.startswith(("Custom::", "AWS::CloudFormation::")):
        return
    schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", type).schema
    for kind in _CREATE_ONLY:
        for pointer in schema.get(kind, ()):
            yield tuple(pointer.removeprefix("/properties/").split("/"))


def _at(properties: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        if not isinstance(properties, dict) or name not in properties:
            return _ABSENT
        properties = properties[name]
    return properties


def _short(value: Any) -> str:
    written = json.dumps(value)
    return written if len(written) <= 80 else f"{written[:77]}…"


def _heir(resource: dict[str, Any], before: dict[str, Any], after: dict[str, Any]) -> str:
    """Name a new resource with the same properties: most often the id of a construct was renamed."""
    for logical_id, other in after.items():
        same = other["Type"] == resource["Type"] and other.get("Properties") == resource.get("Properties")
        if same and logical_id not in before:
            return f"; {logical_id} is new and has the same properties, was a construct's id renamed?"
    return ""
