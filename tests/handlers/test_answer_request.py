"""The API's handler: predictions with variant, version and id, and what the model is asked."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from handlers import answer_request
from ml_lens_runtime import http_model, http_request
from tests.handlers.api_support import PLAIN, SETTINGS, FakeModel, ask, event, instance, packed


@pytest.fixture
def model() -> FakeModel:
    return FakeModel()


def test_each_instance_is_answered_with_variant_version_and_request_id(model: FakeModel) -> None:
    status, body, headers = ask(model, event({"instances": [instance(), instance(temperature=-3)]}))

    assert status == 200
    assert [prediction["score"] for prediction in body["predictions"]] == [1.5, 1.5]
    assert (body["variant"], body["model_version"], body["request_id"]) == ("blue", "v7", "req-1")
    sent = {name: headers[name] for name in ("X-Model-Variant", "X-Model-Version", "X-Request-Id", "Cache-Control")}
    assert list(sent.values()) == ["blue", "v7", "req-1", "no-store"]


def test_the_model_gets_the_features_in_declared_order_and_the_id_for_its_capture(model: FakeModel) -> None:
    ask(model, event({"instances": [{"pressure": 1, "note": "x", "temperature": 2}]}))

    (request,) = model.requests
    assert request["Body"] == b"2.0,1.0\n"
    assert (request["EndpointName"], request["ContentType"], request["InferenceId"]) == (
        "turbines",
        "text/csv",
        "req-1",
    )


def test_json_lines_are_sent_when_the_model_wants_them(model: FakeModel) -> None:
    ask(model, event({"instances": [instance()]}), replace(SETTINGS, content_type="application/jsonlines"))

    assert json.loads(model.requests[0]["Body"]) == {"features": [20.5, 100.0]}


def test_a_csv_answer_is_read_by_its_content_type(model: FakeModel) -> None:
    model.answer, model.content_type = b"0.25,high\n", "text/csv; charset=utf-8"

    status, body, _ = ask(model, event({"instances": [instance()]}), replace(SETTINGS, model_version="m3"))

    assert (status, body["predictions"], body["model_version"]) == (200, [[0.25, "high"]], "m3")


def test_json_that_meets_the_schema_goes_to_the_model_as_it_was_checked(model: FakeModel) -> None:
    model.answer = b'{"answer": [1, 2], "model_version": "v9"}'

    status, body, _ = ask(model, event('{"q": 1, "q": {"a": "\\u00e9"}}'), PLAIN)

    assert (status, body["predictions"]["answer"], body["model_version"]) == (200, [1, 2], "v9")
    assert model.requests[0]["Body"] == b'{"q":{"a":"\\u00e9"}}'  # the second q is the one that was checked
    assert model.requests[0]["Accept"] == "application/json"


def test_a_binary_body_is_decoded(model: FakeModel) -> None:
    assert ask(model, event({"instances": [instance()]}, encode=True))[0] == 200


def test_the_same_event_twice_gives_the_same_answer_and_changes_nothing(model: FakeModel) -> None:
    request = event({"instances": [instance()]})

    assert ask(model, request) == ask(model, request)
    assert model.requests[0] == model.requests[1]


def test_a_version_that_is_no_header_is_made_one_and_stays_whole_in_the_body(model: FakeModel) -> None:
    model.answer = json.dumps({"model_version": "v1\r\nSet-Cookie: a"}).encode()

    _, body, headers = ask(model, event({"instances": [instance()]}))

    assert body["model_version"] == "v1\r\nSet-Cookie: a"
    assert headers["X-Model-Version"] == "v1??Set-Cookie:?a"


def test_the_gateways_id_is_used_and_a_direct_invocation_has_its_own() -> None:
    assert http_request.request_id({"requestContext": {"requestId": "gateway"}}, fallback="lambda") == "gateway"
    for direct in ({}, None, [], {"requestContext": None}, {"requestContext": {"requestId": 7}}):
        assert http_request.request_id(direct, fallback="lambda") == "lambda"


def test_entry_reads_the_environment_and_waits_no_longer_than_the_model_has(monkeypatch: pytest.MonkeyPatch) -> None:
    variables = {
        "ENDPOINT_NAME": "turbines", "REQUEST_SCHEMA": packed({"type": "object"}), "FEATURES": "",
        "CONTENT_TYPE": "application/json", "MAX_BODY_BYTES": "100", "MODEL_SECONDS": "7", "MODEL_VERSION": "",
        "AWS_DEFAULT_REGION": "us-east-1",
    }  # fmt: skip
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    answer_request._process.cache_clear()

    class Context:
        aws_request_id = "lambda-id"

    answer = answer_request.handler({"body": "[]"}, Context())
    settings, runtime = answer_request._process()
    answer_request._process.cache_clear()

    assert (answer["statusCode"], json.loads(answer["body"])["request_id"]) == (400, "lambda-id")
    assert runtime.meta.config.read_timeout == settings.model_seconds == 7
    assert runtime.meta.config.retries["total_max_attempts"] == 1


def test_no_value_of_request_or_answer_is_logged(model: FakeModel, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    model.answer = b'{"score": 777.25}\n'

    ask(model, event({"instances": [instance(temperature=8642.25)]}))
    ask(model, event({"instances": [instance(pressure="secret-1")]}))
    ask(model, event('{"secret-2": '))
    ask(model, event({"secret-3": 1}), PLAIN)
    explode(model)
    ask(model, event({"instances": [instance(temperature=8642.25)]}))

    said = json.dumps([{name: str(value) for name, value in record.__dict__.items()} for record in caplog.records])
    assert len(caplog.records) == 5
    for value in ("8642.25", "777.25", "secret"):
        assert value not in said


def explode(model: FakeModel) -> None:
    def invoke(**request: Any) -> dict[str, Any]:
        raise KeyError(request["Body"])

    model.invoke_endpoint = invoke  # type: ignore[method-assign]


def test_a_bug_is_a_500_without_its_text(model: FakeModel, caplog: pytest.LogCaptureFixture) -> None:
    explode(model)

    status, body, headers = ask(model, event({"instances": [instance()]}))

    assert (status, body["error"], body["request_id"]) == (500, "internal_error", "req-1")
    assert "20.5" not in json.dumps([body, headers])
    (record,) = caplog.records
    assert (record.levelname, record.__dict__["cause"]) == ("ERROR", "endpoint: KeyError")


def test_an_answer_that_lambda_could_not_carry_is_cut_off_before_it_is_read(model: FakeModel) -> None:
    model.answer = b" " * (http_model.MOST_ANSWER_BYTES + 100)

    status, body, _ = ask(model, event({"instances": [instance()]}))

    assert (status, body["error"]) == (502, "answer_mismatch")
