"""One resource provider class a `Kind`: it calls the API that the kind names, through LocalStack's own gateway."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from botocore import xform_name
from botocore.exceptions import ClientError
from botocore.model import ListShape, OperationModel, Shape, StructureShape
from localstack.services.cloudformation.resource_provider import (
    OperationStatus,
    ProgressEvent,
    ResourceProvider,
    ResourceRequest,
)

from .kinds import Kind, Properties

GONE = re.compile(r"NotFound|DoesNotExist|Could not find|not exist", re.IGNORECASE)


def provider_of(kind: Kind) -> type[Any]:
    """Return the class that LocalStack's CloudFormation engine makes, changes and deletes ``kind`` with."""

    class Provider(ResourceProvider):  # type: ignore[misc]  # LocalStack has no types
        TYPE = kind.type
        SCHEMA = {
            "typeName": kind.type,
            "primaryIdentifier": [f"/properties/{kind.ref or kind.name}"],
            "readOnlyProperties": ["/properties/Arn", "/properties/Id"],
            "handlers": {"create": {"permissions": []}, "delete": {"permissions": []}},
        }

        def create(self, request: ResourceRequest) -> ProgressEvent:
            model = _named(kind, request, dict(request.desired_state))
            _call(kind, kind.create, request, kind.given(model))
            return _done(model)

        def update(self, request: ResourceRequest) -> ProgressEvent:
            kept = {
                key: request.previous_state[key] for key in (kind.name, "Arn", "Id") if key in request.previous_state
            }
            model = {**request.desired_state, **kept}
            _call(kind, kind.update, request, kind.given(model))
            return _done(model)

        def delete(self, request: ResourceRequest) -> ProgressEvent:
            model = kind.given(request.desired_state)
            by = kind.delete_by or {kind.name: kind.name}
            try:
                _call(kind, kind.delete, request, {argument: model[name] for argument, name in by.items()})
            except ClientError as error:
                if not GONE.search(str(error)):
                    raise
            return _done({})

        def read(self, request: ResourceRequest) -> ProgressEvent:
            return _done(dict(request.desired_state))

    return Provider


def _done(model: Properties) -> ProgressEvent:
    return ProgressEvent(status=OperationStatus.SUCCESS, resource_model=model, custom_context={})


def _named(kind: Kind, request: ResourceRequest, model: Properties) -> Properties:
    inner = next((value["Name"] for value in model.values() if isinstance(value, Mapping) and "Name" in value), None)
    if kind.name not in model and inner is not None and kind.service == "glue":
        model[kind.name] = inner
    if kind.name not in model:
        suffix = request.stack_id.rsplit("/", 1)[-1][:8]
        long = f"{request.stack_name}_{request.logical_resource_id}"[:52]
        made = f"{long}_{suffix}"
        model[kind.name] = made if kind.service == "iot" else made.replace("_", "-")
    place = f"arn:aws:{kind.service or 'stub'}:{request.region_name}:{request.account_id}"
    model["Arn"] = f"{place}:{kind.arn.format(model[kind.name])}"
    model["Id"] = model["Arn"]
    return model


def _call(kind: Kind, operation: str, request: ResourceRequest, properties: Properties) -> None:
    if operation:
        client = getattr(request.aws_client_factory, kind.service)
        model = client.meta.service_model.operation_model(client.meta.method_to_api_mapping[operation])
        getattr(client, operation)(**arguments(model, properties))


def arguments(operation: OperationModel, properties: Properties) -> dict[str, Any]:
    """Return what of ``properties`` the operation takes, in its spelling and of its types."""
    converted: dict[str, Any] = _converted(operation.input_shape, properties)
    return converted


def _converted(shape: Shape, value: Any) -> Any:
    if isinstance(shape, StructureShape) and isinstance(value, Mapping):
        by_name = {xform_name(key).replace("_", ""): key for key in value}
        return {
            member: _converted(inner, value[by_name[key]])
            for member, inner in shape.members.items()
            if (key := xform_name(member).replace("_", "")) in by_name
        }
    if isinstance(shape, ListShape) and isinstance(value, list):
        return [_converted(shape.member, item) for item in value]
    return _scalar(shape, value)


def _scalar(shape: Shape, value: Any) -> Any:
    casts = {"integer": int, "long": int, "float": float, "double": float}
    if shape.type_name == "map":
        return {key: _converted(shape.value, item) for key, item in value.items()}
    if shape.type_name == "boolean" and isinstance(value, str):
        return value.lower() == "true"
    if shape.type_name == "string" and isinstance(value, bool | int | float):
        return str(value).lower() if isinstance(value, bool) else str(value)
    return casts[shape.type_name](value) if shape.type_name in casts else value
