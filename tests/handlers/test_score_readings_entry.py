"""The Lambda entry point itself: environment, context and lease."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from handlers import score_readings
from ml_lens_runtime.errors import ConfigurationError
from tests.handlers.fakes import FakeClients
from tests.handlers.support import reading, sqs_event


class FakeContext:
    """Lambda's context: the two members that the handler reads."""

    aws_request_id = "request-1"

    def get_remaining_time_in_millis(self) -> int:
        return 30_000


ENVIRONMENT = {
    "ENDPOINT_NAME": "turbines",
    "FEATURES": '[{"name": "temperature"}, {"name": "pressure"}]',
    "CONTENT_TYPE": "application/jsonlines",
    "ACTIONS": "[]",
    "DEAD_LETTER_QUEUE_URL": "https://queues/dead-letters",
    "LEDGER_TABLE": "ledger",
    "LEDGER_HOURS": "24",
    "MAX_ATTEMPTS": "5",
    "MAX_READING_BYTES": "4096",
    "RULE_NAME": "telemetry",
    "PREDICTION_STREAM": "predictions",
    "SOURCE_QUEUE_URL": "https://queues/readings",
}


@pytest.fixture
def entry_point(aws: FakeClients, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(score_readings, "Clients", lambda: aws)
    score_readings._process.cache_clear()
    yield
    score_readings._process.cache_clear()


@pytest.mark.usefixtures("entry_point")
def test_the_entry_point_answers_lambda(aws: FakeClients) -> None:
    assert score_readings.handler(sqs_event([reading(0)]), FakeContext()) == {"batchItemFailures": []}

    assert len(aws.log.lines) == 1


@pytest.mark.usefixtures("entry_point")
def test_a_lease_lasts_a_bit_longer_than_the_function_can(aws: FakeClients) -> None:
    aws.endpoint.failures = [KeyboardInterrupt()]  # type: ignore[list-item]
    before = time.time()
    with pytest.raises(KeyboardInterrupt):
        score_readings.handler(sqs_event([reading(0)]), FakeContext())

    (item,) = aws.ledger.items.values()
    assert before + 34.9 <= float(item["lease_until"]["N"]) <= time.time() + 35.1


@pytest.mark.usefixtures("entry_point")
def test_the_entry_point_fails_with_the_name_of_a_missing_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LEDGER_TABLE")

    with pytest.raises(ConfigurationError, match=r"^LEDGER_TABLE must be set"):
        score_readings.handler(sqs_event([reading(0)]), FakeContext())
