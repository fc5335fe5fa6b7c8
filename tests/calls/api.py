"""What botocore's models say: methods and operations of services, their paginators and waiters."""

from __future__ import annotations

from functools import cache

import botocore.session
from botocore import xform_name
from botocore.exceptions import UnknownServiceError
from botocore.model import ServiceModel

# boto3's own methods of S3, and the operations that they call for a small object.
TRANSFERS = {
    "copy": ("HeadObject", "CopyObject"),
    "download_file": ("HeadObject", "GetObject"),
    "download_fileobj": ("HeadObject", "GetObject"),
    "upload_file": ("PutObject",),
    "upload_fileobj": ("PutObject",),
}
# `copy` is also a method of dicts and arrays: it counts on what is known to be a client of S3.
_EXTRA = {*TRANSFERS, "get_paginator", "get_waiter"} - {"copy"}


@cache
def _session() -> botocore.session.Session:
    return botocore.session.Session()


@cache
def model(service: str) -> ServiceModel:
    """Return the model of a service."""
    return _session().get_service_model(service)


@cache
def _by_method(service: str) -> dict[str, str]:
    return {xform_name(name): name for name in model(service).operation_names}


@cache
def methods(services: frozenset[str]) -> frozenset[str]:
    """Return the names of all methods of clients that call AWS."""
    return frozenset(_EXTRA).union(*(_by_method(service) for service in services))


def operation(service: str, method: str) -> str | None:
    """Return the operation behind a method."""
    return _by_method(service).get(method)


def waited(service: str, waiter: str) -> str | None:
    """Return the operation that a waiter asks for."""
    try:
        found = _session().get_waiter_model(service)
    except UnknownServiceError:
        return None
    names = {xform_name(name): name for name in found.waiter_names}
    return found.get_waiter(names[waiter]).operation if waiter in names else None


@cache
def tokens(service: str, operation: str) -> frozenset[str]:
    """Return the parameters by which a further page is asked for; empty if there are no pages."""
    try:
        given = _session().get_paginator_model(service).get_paginator(operation)["input_token"]
    except (UnknownServiceError, ValueError):
        return frozenset()
    return frozenset([given] if isinstance(given, str) else given)
