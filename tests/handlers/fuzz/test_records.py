"""Handlers that keep records in a table: an A/B test's, and retraining's. Taken, refused or kept apart, once."""

# ruff: noqa: N803 (the argument names are boto3's)

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import strategies as st

from handlers import assign_variant, evaluate_test, record_outcome, start_retraining
from handlers.assign_variant import BadRequestError
from ml_lens_runtime.ab_clients import AbClients
from ml_lens_runtime.ab_plan import Setup
from ml_lens_runtime.ab_state import StateCache
from ml_lens_runtime.retrain_events import UnknownEventError
from ml_lens_runtime.retrain_setup import RetrainClients
from tests.handlers.ab_support import FIXED, NOW
from tests.handlers.fakes import FakeAction, aws_error
from tests.handlers.fuzz.fake_table import FakeTable
from tests.handlers.fuzz.payloads import bodies, events, explore, values
from tests.handlers.retrain_account import NOW as RETRAIN_NOW
from tests.handlers.retrain_account import SETUP, FakeMachines, created, scheduled

AB = Setup(plan=FIXED, table="t", endpoint_name="shop", dead_letter_queue_url="https://dead", shift_arn="")


class FakeLetters(FakeAction):
    """SQS that keeps what it is sent. Delivers nothing."""

    def send_message(self, **call: Any) -> dict[str, Any]:
        return self._take(**call)


def ab_clients() -> AbClients:
    clients = AbClients(region="us-east-1")
    clients.__dict__.update(ledger=FakeTable(), queue=FakeLetters(), bus=FakeAction(), state_machine=FakeAction())
    return clients


def test_a_user_is_assigned_or_refused_by_name_and_again_the_same() -> None:
    good = {"user_id": "u", "inference_id": "i"}

    def check(batch: list[Any]) -> None:
        clients, cache = ab_clients(), StateCache()
        for event in batch:
            first, second = (_assigned(event, clients, cache) for _ in range(2))
            fixed = isinstance(event, dict) and event.get("inference_id") is not None
            assert first == second or not fixed

    explore(st.one_of(events(good), st.text(max_size=9).map(lambda name: good | {"user_id": name})), check)


def _assigned(event: Any, clients: AbClients, cache: StateCache) -> str:
    try:
        return repr(assign_variant.run(setup=AB, event=event, clients=clients, cache=cache, now=NOW))
    except BadRequestError as error:
        return str(error)


def _table(clients: AbClients) -> FakeTable:
    table = clients.__dict__["ledger"]
    assert isinstance(table, FakeTable)
    return table


def test_an_outcome_of_the_queue_is_kept_apart_once() -> None:
    good = {"inference_id": "unknown", "value": 1}

    def check(batch: list[bytes]) -> None:
        clients = ab_clients()
        records = [_message(body.decode("utf-8", "replace"), number) for number, body in enumerate(batch)]
        event = {"Records": records}
        answer = record_outcome.run(setup=AB, event=event, clients=clients, now=NOW, request_id="r")
        assert answer == {"batchItemFailures": []}
        letters = clients.__dict__["queue"].calls
        assert {json.loads(letter["MessageBody"])["payload"] for letter in letters} == {one["body"] for one in records}
        count, kept = len(letters), dict(_table(clients).items)
        record_outcome.run(setup=AB, event=event, clients=clients, now=NOW, request_id="r")
        assert (len(letters), _table(clients).items) == (count, kept)

    explore(bodies(good), check)


def _message(body: str, number: int) -> dict[str, Any]:
    return {
        "eventSource": "aws:sqs", "messageId": f"m{number}", "receiptHandle": "r", "body": body,
        "attributes": {"SentTimestamp": "1", "ApproximateReceiveCount": "1"},
    }  # fmt: skip


def test_a_direct_outcome_is_answered_or_refused_by_name() -> None:
    good = {"outcomes": [{"inference_id": "unknown", "value": 1}]}

    def check(batch: list[Any]) -> None:
        for event in batch:
            clients = ab_clients()
            try:
                answer = record_outcome.run(setup=AB, event=event, clients=clients, now=NOW, request_id="r")
            except record_outcome.BadOutcomesError:
                continue
            assert all(result["status"] == "apart" for result in answer["results"])
            assert len(clients.__dict__["queue"].calls) <= len(answer["results"])

    explore(events(good), check)


def test_a_look_at_a_test_does_not_depend_on_its_event(monkeypatch: pytest.MonkeyPatch) -> None:
    class Context:
        def get_remaining_time_in_millis(self) -> int:
            return 300_000

    clients = ab_clients()
    monkeypatch.setattr(evaluate_test, "_process", lambda: (AB, clients))
    first = evaluate_test.handler({}, Context())

    def check(batch: list[Any]) -> None:
        before = dict(_table(clients).items)
        for event in batch:
            answer = evaluate_test.handler(event, Context())
            assert (answer["verdict"], answer["test"]) == (first["verdict"], first["test"])
        assert _table(clients).items.keys() == before.keys()

    monkeypatch.setattr(evaluate_test.time, "time", lambda: NOW)
    explore(values, check)


class FakeElsewhere:
    """CloudWatch without alarms, S3 without objects, and a bus that takes every event."""

    def describe_alarms(self, **_: Any) -> dict[str, Any]:
        return {"MetricAlarms": [], "CompositeAlarms": []}

    def get_object(self, **_: Any) -> dict[str, Any]:
        raise aws_error("NoSuchKey", "GetObject")

    def put_events(self, *, Entries: list[Any]) -> dict[str, Any]:
        return {"FailedEntryCount": 0, "Entries": [{"EventId": "e"} for _ in Entries]}


def test_an_event_of_retraining_is_a_cause_or_refused_by_name_and_counts_once() -> None:
    alarm = {
        "source": "aws.cloudwatch", "detail-type": "CloudWatch Alarm State Change",
        "detail": {"alarmName": "drift", "state": {"value": "ALARM", "timestamp": "2026-11-21T08:00:00Z"}},
    }  # fmt: skip
    ended = {
        "source": "aws.states", "detail-type": "Step Functions Execution Status Change",
        "detail": {"executionArn": "arn:x", "status": "FAILED", "error": None},
    }  # fmt: skip
    data = created("datasets/7/dataset.json", sequencer="1") | {"time": "2026-11-21T08:00:00Z"}
    manual = {"cause": "manual", "id": "mine", "reason": "why", "dataset": ""}

    def check(batch: list[Any]) -> None:
        clients, elsewhere = RetrainClients(region="us-east-1"), FakeElsewhere()
        table, machines = FakeTable(), FakeMachines()
        clients.__dict__.update(
            ledger=table, state_machine=machines, artifacts=elsewhere, watch=elsewhere, bus=elsewhere
        )
        for event in batch:
            _told(event, clients)
            known = set(table.items)
            answer = _told(event, clients)
            assert set(table.items) == known
            assert len(machines.running()) <= 1
            assert answer in ("refused", "taken")

    explore(events(alarm, ended, data, manual, scheduled("2026"), {"look": True}), check)


def _told(event: Any, clients: RetrainClients) -> str:
    try:
        start_retraining.run(setup=SETUP, event=event, clients=clients, now=RETRAIN_NOW, sleep=lambda seconds: None)
    except UnknownEventError:
        return "refused"
    return "taken"
