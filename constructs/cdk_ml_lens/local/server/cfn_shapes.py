"""Turns CloudFormation properties into API parameters by the shapes of botocore's service models."""

from __future__ import annotations

import functools
import json
import logging
from typing import Any

import botocore.session
from botocore.model import ListShape, MapShape, Shape, StructureShape

logger = logging.getLogger("laptop_cloud")


def parameters(service: str, operation: str, properties: dict[str, Any]) -> dict[str, Any]:
    """Return ``properties`` as the input of ``operation``: typed, and without members the API does not know.

    CloudFormation passes numbers and booleans as strings now and then; APIs do not take them.
    """
    shape = service_model(service).operation_model(operation).input_shape
    assert isinstance(shape, StructureShape)
    unknown = sorted(set(properties) - set(shape.members))
    if unknown:
        logger.warning("%s:%s has no parameters %s; they are left out", service, operation, unknown)
    coerced: dict[str, Any] = _coerced(shape, properties)
    return coerced


@functools.lru_cache(maxsize=8)
def service_model(service: str) -> Any:
    """Return botocore's model of ``service``."""
    return botocore.session.get_session().get_service_model(service)


def _coerced(shape: Shape, value: Any) -> Any:
    if isinstance(shape, StructureShape):
        return {key: _coerced(shape.members[key], item) for key, item in value.items() if key in shape.members}
    if isinstance(shape, ListShape):
        return [_coerced(shape.member, item) for item in value]
    if isinstance(shape, MapShape):
        return {key: _coerced(shape.value, item) for key, item in value.items()}
    return _scalar(shape.type_name, value)


def _scalar(kind: str, value: Any) -> Any:
    if kind in ("integer", "long"):
        return int(value)
    if kind in ("float", "double"):
        return float(value)
    if kind == "boolean":
        return str(value).lower() == "true"
    if kind == "string" and not isinstance(value, str):
        return json.dumps(value)
    return value
