"""Handlers that keep nothing: every record or request is answered, and the same one gets the same answer."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from handlers import transform_readings, verify_rollout
from handlers.transform_readings import TransformSettings
from tests.handlers import api_support
from tests.handlers.fakes import aws_error
from tests.handlers.fuzz.payloads import bodies, encoded, events, explore
from tests.handlers.support import reading, rule_output

READING = reading(1, timestamp="2026-11-21T00:00:00Z")
RECORD = rule_output(READING)
inner = bodies(READING).map(lambda raw: encoded(RECORD | {"payload": base64.b64encode(raw).decode()}))
rule_outputs = st.one_of(inner, inner, bodies(RECORD))


def test_transform_answers_every_record_once_and_again_the_same() -> None:
    settings = TransformSettings(sensors=("temperature", "pressure"), table="raw")
    given = {"recordId": "r", "data": base64.b64encode(encoded(RECORD)).decode(), "approximateArrivalTimestamp": 1}
    records = st.one_of(
        rule_outputs.map(lambda raw: given | {"data": base64.b64encode(raw).decode()}),
        events(given).filter(lambda value: isinstance(value, dict)),
    )

    def check(batch: list[dict[str, Any]]) -> None:
        event = {"records": [record | {"recordId": str(number)} for number, record in enumerate(batch)]}
        answer = transform_readings.run(env=settings, event=event)
        assert [record["recordId"] for record in answer["records"]] == [str(number) for number in range(len(batch))]
        assert {record["result"] for record in answer["records"]} <= {"Ok", "ProcessingFailed"}
        assert transform_readings.run(env=settings, event=event) == answer

    explore(records, check)


def test_an_api_request_is_answered_by_a_status_and_never_by_a_bug() -> None:
    good = api_support.event({"instances": [api_support.instance()]})
    requests = st.one_of(
        events(good),
        bodies({"instances": [api_support.instance()]}).map(
            lambda raw: good | {"body": base64.b64encode(raw).decode(), "isBase64Encoded": True}
        ),
    )

    def check(batch: list[Any]) -> None:
        for event in batch:
            status, body, _ = api_support.ask(api_support.FakeModel(), event)
            assert status == 200 or 400 <= status < 500, (status, body, event)
            assert api_support.ask(api_support.FakeModel(), event)[:2] == (status, body)

    explore(requests, check)


def test_any_answer_of_a_model_becomes_a_status() -> None:
    request = api_support.event({"instances": [api_support.instance()]})

    def check(batch: list[bytes]) -> None:
        for answer in batch:
            model = api_support.FakeModel()
            model.answer = answer
            status, body, _ = api_support.ask(model, request)
            assert status in (200, 502), (status, body)

    explore(bodies({"score": 1.5, "model_version": "v7"}), check)


class FakeSageMaker:
    """One endpoint. Knows no other call."""

    def describe_endpoint(self, *, EndpointName: str) -> dict[str, str]:  # noqa: N803
        if EndpointName != "turbines":
            raise aws_error("ValidationException", "DescribeEndpoint")
        return {"EndpointStatus": "InService", "EndpointConfigName": "config-2"}


def _into(answers: list[tuple[str, bytes]]) -> Callable[[str, bytes], None]:
    return lambda url, body: answers.append((url, body))


def test_cloudformation_gets_one_answer_to_every_request() -> None:
    request = {
        "RequestType": "Update", "ResponseURL": "https://s3/answer", "StackId": "s", "RequestId": "r",
        "LogicalResourceId": "l", "PhysicalResourceId": "p",
        "ResourceProperties": {"EndpointName": "turbines", "EndpointConfigName": "config-2"},
    }  # fmt: skip
    requests = events(request).map(
        lambda event: {**(event if isinstance(event, dict) else {}), "ResponseURL": "https://s3/answer"}
    )

    def check(batch: list[dict[str, Any]]) -> None:
        for event in batch:
            answers: list[tuple[str, bytes]] = []
            for _ in range(2):
                verify_rollout.run(event, sagemaker=FakeSageMaker(), respond=_into(answers), log_stream="log")
            assert [url for url, _ in answers] == ["https://s3/answer"] * 2
            assert answers[0] == answers[1]
            intact = all(event.get(name) == value for name, value in request.items() if name != "PhysicalResourceId")
            assert not intact or b"SUCCESS" in answers[0][1]

    explore(requests, check)
