"""Each failure of a request has a status of its own, and the id of the request; some say when to try again."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import (
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    ReadTimeoutError,
)

from tests.handlers.api_support import PLAIN, FakeModel, ask, event, instance
from tests.handlers.fake_services import aws_error, model_error

URL = "https://runtime.sagemaker.us-east-1.amazonaws.com"
GOOD = event({"instances": [instance()]})


@pytest.fixture
def model() -> FakeModel:
    return FakeModel()


MODEL_FAILURES = [
    (aws_error("ThrottlingException"), 429, "throttled"),
    (model_error(429), 429, "throttled"),
    (model_error(500), 502, "model_error"),
    (model_error(400), 502, "model_error"),
    (aws_error("ModelError", "InvokeEndpoint"), 502, "model_error"),
    (aws_error("ValidationError"), 503, "endpoint_unavailable"),  # what SageMaker says of a missing endpoint
    (aws_error("ModelNotReadyException"), 503, "endpoint_unavailable"),
    (aws_error("ServiceUnavailable"), 503, "endpoint_unavailable"),
    (aws_error("InternalFailure"), 503, "endpoint_unavailable"),
    (aws_error("AccessDeniedException"), 503, "endpoint_unavailable"),
    (NoCredentialsError(), 503, "endpoint_unavailable"),
    (EndpointConnectionError(endpoint_url=URL), 503, "endpoint_unavailable"),
    (ConnectTimeoutError(endpoint_url=URL), 503, "endpoint_unreachable"),
    (ReadTimeoutError(endpoint_url=URL), 504, "model_timeout"),
]


@pytest.mark.parametrize(("failure", "status", "error"), MODEL_FAILURES)
def test_a_failure_of_the_model_or_its_endpoint_has_its_status(
    model: FakeModel, caplog: pytest.LogCaptureFixture, failure: Exception, status: int, error: str
) -> None:
    caplog.set_level("INFO")
    model.failure = failure

    answered, body, headers = ask(model, GOOD)

    assert (answered, body["error"]) == (status, error)
    assert body["request_id"] == headers["X-Request-Id"] == "req-1"
    assert headers.get("Retry-After") == {429: "1", 503: "5"}.get(status)
    assert len(model.requests) == 1
    (record,) = caplog.records
    assert record.levelname == ("ERROR" if status >= 500 else "INFO")
    assert record.__dict__["cause"].startswith("endpoint: ")


def test_what_the_model_said_of_its_error_stays_inside(model: FakeModel) -> None:
    model.failure = model_error(500)

    _, body, headers = ask(model, GOOD)

    assert "model says no" not in json.dumps([body, headers])


ANSWERS = [b"", b"no json", b'{"score": 1}\n{"score": 2}\n', b'{"score": NaN}', b"\xff", b"[" * 100_000]


@pytest.mark.parametrize("answer", ANSWERS, ids=["empty", "text", "two for one", "nan", "bytes", "nested"])
def test_an_answer_that_does_not_fit_the_instances_is_a_502(model: FakeModel, answer: bytes) -> None:
    model.answer = answer

    status, body, _ = ask(model, GOOD)

    assert (status, body["error"]) == (502, "answer_mismatch")


def test_an_answer_that_is_no_json_is_a_502_without_features_too(model: FakeModel) -> None:
    model.answer = b"<html>"

    assert ask(model, event({"q": 1}), PLAIN)[0] == 502


REQUESTS: list[tuple[str, Any, int, str]] = [
    ("no event", None, 400, "bad_request"),
    ("a list", [], 400, "bad_request"),
    ("no body", {"headers": {}}, 400, "no_body"),
    ("empty body", event(""), 400, "no_body"),
    ("body of another type", {"body": {"instances": []}}, 400, "no_body"),
    ("over the limit", event({"instances": [instance()], "x": "y" * 1000}), 413, "body_too_large"),
    ("over the limit in bytes, not in characters", event({"é": "é" * 400}, encode=True), 413, "body_too_large"),
    ("over the limit in base64", event(b"x" * 1001), 413, "body_too_large"),
    ("over the limit and no base64", {"body": "!" * 2001, "isBase64Encoded": True}, 413, "body_too_large"),
    ("no base64", {"body": "!", "isBase64Encoded": True}, 400, "bad_encoding"),
    ("no UTF-8", event(b"\xff\xfe{}"), 400, "bad_encoding"),
    ("CSV", event("1,2", content_type="text/csv"), 415, "unsupported_media_type"),
    ("no JSON", event('{"instances": ['), 400, "not_json"),
    ("NaN", event('{"instances": [{"temperature": NaN, "pressure": 1}]}'), 400, "not_json"),
    ("an infinite number", event('{"instances": [{"temperature": 1e999, "pressure": 1}]}'), 400, "not_json"),
    ("a long integer", event('{"instances": [{"temperature": 1%s, "pressure": 1}]}' % ("0" * 400)), 400, "not_json"),
    ("deep nesting", event("[" * 400 + "]" * 400), 400, "not_json"),
    ("another shape", event([1]), 400, "schema_violation"),
    ("no instances", event({"instances": []}), 400, "schema_violation"),
    ("too many instances", event({"instances": [instance()] * 4}), 400, "schema_violation"),
    ("a missing feature", event({"instances": [{"temperature": 1}]}), 400, "schema_violation"),
    ("a text for a number", event({"instances": [instance(pressure="1")]}), 400, "schema_violation"),
    ("a boolean for a number", event({"instances": [instance(pressure=True)]}), 400, "schema_violation"),
    ("a number out of bounds", event({"instances": [instance(pressure=501)]}), 400, "schema_violation"),
]


@pytest.mark.parametrize(("request_", "status", "error"), [case[1:] for case in REQUESTS], ids=[c[0] for c in REQUESTS])
def test_a_bad_request_never_reaches_the_model(model: FakeModel, request_: Any, status: int, error: str) -> None:
    answered, body, headers = ask(model, request_)

    assert (answered, body["error"]) == (status, error)
    assert body["request_id"] == headers["X-Request-Id"] == "req-1"
    assert "Retry-After" not in headers
    assert model.requests == []


@pytest.mark.parametrize("content_type", [None, "application/json", "Application/JSON; charset=utf-8"])
def test_json_is_taken_with_and_without_its_content_type(model: FakeModel, content_type: str | None) -> None:
    assert ask(model, event({"instances": [instance()]}, content_type=content_type))[0] == 200


def test_a_body_of_exactly_the_limit_is_taken(model: FakeModel) -> None:
    body = json.dumps({"instances": [instance()]})

    assert ask(model, event(body + " " * (1000 - len(body))))[0] == 200
    assert ask(model, event(body + " " * (1001 - len(body))))[0] == 413


def test_a_violation_names_its_place_and_rule_but_no_value(model: FakeModel) -> None:
    _, body, _ = ask(model, event({"instances": [instance(), instance(pressure=7777)]}))

    assert body["message"] == "$.instances[1].pressure must be at most 500"
