"""Puts trouble between botocore and moto: an error comes back on the wire and moto never hears of the call."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any
from unittest import mock

import botocore.endpoint
from botocore.awsrequest import AWSResponse
from moto.core.botocore_stubber import BotocoreStubber, MockRawResponse

from tests.calls import api

STATUS = {
    "AccessDenied": 403,
    "AccessDeniedException": 403,
    "AuthorizationError": 403,
    "ModelError": 424,
    "SlowDown": 503,
    "TooManyRequestsException": 429,
}
THROTTLES = frozenset(
    {
        "ProvisionedThroughputExceededException",
        "RequestThrottled",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "TooManyRequestsException",
    }
)


@dataclass(kw_only=True)
class Trouble:
    """An error of one operation.

    Attributes
    ----------
    result : str
        What becomes of it, in the words of the page; the test that makes trouble asserts it.
    times : int or None
        How many requests it hits; None: each.
    skip : int
        How many requests pass before.
    stubbed : bool
        A Stubber gives the error; this only says what becomes of it.
    answer : dict or None
        An answer instead of an error: it says of each entry whether it was taken. Of services that talk JSON.
    """

    service: str
    operation: str
    code: str
    result: str
    times: int | None = None
    skip: int = 0
    stubbed: bool = False
    answer: dict[str, Any] | None = None
    more: dict[str, Any] = field(default_factory=dict)
    requests: int = 0
    hits: int = 0

    def meets(self, event_name: str) -> bool:
        """Count a request; tell whether it is hit."""
        hyphens = api.model(self.service).service_id.hyphenize()
        if event_name != f"before-send.{hyphens}.{self.operation}":
            return False
        self.requests += 1
        hit = self.requests > self.skip and (self.times is None or self.hits < self.times)
        self.hits += hit
        return hit


active: list[Trouble] = []


@contextmanager
def trouble(service: str, operation: str, code: str, *, result: str, **given: Any) -> Iterator[Trouble]:
    """Answer an operation with an error of AWS; botocore's pauses before it tries again are left out.

    botocore reads the answer and decides about trying again as it does with AWS. It fails if nothing was hit.
    """
    one = Trouble(service=service, operation=operation, code=code, result=result, **given)
    passed = BotocoreStubber.__call__

    def call(stubber: BotocoreStubber, event_name: str, request: Any, **more: Any) -> AWSResponse | None:
        if one.meets(event_name):
            return _answer(one, request)
        return passed(stubber, event_name, request, **more)

    patient = SimpleNamespace(sleep=lambda seconds: None)
    active.append(one)
    try:
        with (
            mock.patch.object(BotocoreStubber, "__call__", call),
            mock.patch.object(botocore.endpoint, "time", patient),
        ):
            yield one
    finally:
        active.remove(one)
    assert one.hits, f"{service} {operation} was not called"


@contextmanager
def stubbed(service: str, operation: str, code: str, *, result: str) -> Iterator[None]:
    """Say what becomes of an error that a Stubber gives, where moto lacks the operation."""
    one = Trouble(service=service, operation=operation, code=code, result=result, stubbed=True)
    active.append(one)
    try:
        yield
    finally:
        active.remove(one)


def _answer(one: Trouble, request: Any) -> AWSResponse:
    if one.answer is not None:
        return AWSResponse(request.url, 200, {}, MockRawResponse(json.dumps(one.answer)))  # type: ignore[arg-type]
    status = STATUS.get(one.code, 400)
    headers, body = _BODIES[api.model(one.service).resolved_protocol](one)
    return AWSResponse(request.url, status, headers, MockRawResponse(body))  # type: ignore[arg-type]


def _json(one: Trouble) -> tuple[dict[str, str], bytes]:
    said = {"__type": one.code, "message": "trouble", "Message": "trouble", **one.more}
    return {"x-amzn-errortype": one.code, "content-type": "application/x-amz-json-1.0"}, json.dumps(said).encode()


def _xml(one: Trouble) -> tuple[dict[str, str], bytes]:
    return {}, f"<Error><Code>{one.code}</Code><Message>trouble</Message></Error>".encode()


def _query(one: Trouble) -> tuple[dict[str, str], bytes]:
    error = f"<Error><Type>Sender</Type><Code>{one.code}</Code><Message>trouble</Message></Error>"
    return {}, f"<ErrorResponse>{error}<RequestId>r</RequestId></ErrorResponse>".encode()


_BODIES = {"json": _json, "rest-json": _json, "rest-xml": _xml, "query": _query}
