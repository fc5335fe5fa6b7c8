"""Two writers of the A/B test at once, and services that refuse: nothing counts twice, nothing is lost."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from handlers.evaluate_test import NotDeliveredError
from ml_lens_runtime.ab_journal import PAUSE_SECONDS, Inference, Journal
from ml_lens_runtime.ab_state import StateStore
from ml_lens_runtime.outcomes import Outcome, OutcomeError, record
from tests.handlers.ab_account import TABLE, Account, mocked_account, outcome, users
from tests.handlers.fake_services import aws_error

CONFLICT = aws_error(
    "TransactionCanceledException", CancellationReasons=[{"Code": "None"}, {"Code": "TransactionConflict"}]
)
GONE = aws_error(
    "TransactionCanceledException", CancellationReasons=[{"Code": "None"}, {"Code": "ConditionalCheckFailed"}]
)


class FakeTroubledTable:
    """moto's DynamoDB whose transactions fail as told, first come; does nothing else by itself."""

    def __init__(self, table: Any, *failures: Exception) -> None:
        self._table, self._failures = table, list(failures)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._table, name)

    def transact_write_items(self, **request: Any) -> Any:
        if self._failures:
            raise self._failures.pop(0)
        return self._table.transact_write_items(**request)


class FakeRefusingBus:
    """EventBridge that takes no event; holds no rules."""

    def put_events(self, **_request: Any) -> dict[str, Any]:
        return {"FailedEntryCount": 1, "Entries": [{"ErrorCode": "InternalFailure"}]}


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    with mocked_account(monkeypatch) as made:
        yield made


class FakeLateTable:
    """moto's DynamoDB that shows an item as missing once, as to a process that looked before it was there."""

    def __init__(self, table: Any) -> None:
        self._table, self._looked = table, False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._table, name)

    def get_item(self, **request: Any) -> Any:
        if self._looked:
            return self._table.get_item(**request)
        self._looked = True
        return {}


def journal(account: Account, *failures: Exception, waits: list[float] | None = None) -> Journal:
    table = FakeTroubledTable(account.clients.ledger, *failures)
    heard: list[float] = [] if waits is None else waits
    return Journal(plan=account.setup.plan, table=TABLE, client=table, sleep=heard.append)


def win(account: Account) -> None:
    """Move the clock to the look that decides for green."""
    account.plan(min_users=20, effect=0.5)
    account.report(*users(account, 100, converted={"blue": 0, "green": 40}))
    account.close_windows()


def opened(account: Account) -> Inference:
    found = journal(account).find(account.assign("ann")["inference_id"])
    assert found is not None
    return found


def test_outcomes_of_one_user_that_collide_wait_and_count(account: Account) -> None:
    inference = opened(account)
    waits: list[float] = []
    assert journal(account, CONFLICT, CONFLICT, waits=waits).count(inference, 1.0)
    assert waits == [PAUSE_SECONDS] * 2
    assert account.items("user#")[0]["outcomes"] == {"N": "1"}


def test_outcomes_that_collide_three_times_come_again(account: Account) -> None:
    with pytest.raises(ClientError):
        journal(account, CONFLICT, CONFLICT, CONFLICT).count(opened(account), 1.0)
    assert "outcomes" not in account.items("user#")[0]


def test_a_user_that_is_forgotten_is_an_error_and_no_duplicate(account: Account) -> None:
    waits: list[float] = []
    with pytest.raises(ClientError):
        journal(account, GONE, waits=waits).count(opened(account), 1.0)
    assert waits == []


def test_an_outcome_counted_or_noted_before_is_not_written_again(account: Account) -> None:
    inference = opened(account)
    assert journal(account).count(inference, 1.0)
    assert not journal(account).count(inference, 1.0)
    assert not journal(account).note_late(inference, 1.0)
    assert account.items("inference#")[0]["outcome_state"] == {"S": "counted"}


def test_a_late_outcome_that_cannot_be_written_comes_again(account: Account) -> None:
    elsewhere = replace(journal(account), table="gone")
    with pytest.raises(ClientError, match="ResourceNotFound"):
        elsewhere.note_late(opened(account), 1.0)


@pytest.mark.parametrize(("mine", "status"), [(1.0, "duplicate"), (0.0, "conflicting_outcome")])
def test_when_somebody_else_writes_first_their_value_stands(account: Account, mine: float, status: str) -> None:
    inference = opened(account)

    class FakeSlowJournal:
        """A journal that shows an inference as it was before somebody wrote its outcome; then as it is."""

        plan = account.setup.plan
        looks = 0

        def find(self, inference_id: str) -> Inference | None:
            self.looks += 1
            if self.looks == 1:
                assert journal(account).count(inference, 1.0)
                return inference
            return journal(account).find(inference_id)

        def count(self, late: Inference, value: float) -> bool:
            return journal(account).count(late, value)

    slow: Any = FakeSlowJournal()
    given = Outcome(inference_id=inference.id, value=mine)
    if status == "duplicate":
        assert record(given, journal=slow, sent_at=account.now, now=account.now) == "duplicate"
    else:
        with pytest.raises(OutcomeError, match=r"recorded is 1\.0, got 0\.0"):
            record(given, journal=slow, sent_at=account.now, now=account.now)
    assert account.items("user#")[0]["outcomes"] == {"N": "1"}


@pytest.mark.parametrize("value", [10**400, 1e-200])
def test_a_number_that_dynamodb_cannot_hold_is_kept_apart(account: Account, value: float) -> None:
    account.plan(metric="total", minimum=0.0, maximum=1e9)
    id = account.assign("ann")["inference_id"]
    assert account.call(outcome(id, value))["results"][0] == {"status": "apart", "reason": "not_finite"}


def test_what_the_bus_refuses_stays_in_the_outbox(account: Account) -> None:
    bus = account.clients.bus
    account.clients.__dict__["bus"] = FakeRefusingBus()
    win(account)
    with pytest.raises(NotDeliveredError, match="InternalFailure"):
        account.evaluate()
    assert account.started() == []
    account.clients.__dict__["bus"] = bus
    account.evaluate()
    assert [event["detail"]["winner"] for event in account.announced()] == ["green"]
    assert len(account.started()) == 1


def test_a_shift_that_was_started_before_the_look_was_cut_is_not_an_error(account: Account) -> None:
    machine = account.clients.state_machine

    class FakeCutMachine:
        """Step Functions that starts the execution, and answers as if somebody had done so before."""

        def start_execution(self, **request: Any) -> Any:
            machine.start_execution(**request)
            raise aws_error("ExecutionAlreadyExists")

    account.clients.__dict__["state_machine"] = FakeCutMachine()
    win(account)
    account.evaluate()
    account.clients.__dict__["state_machine"] = machine
    account.evaluate()
    assert [given["winner"] for given in account.started()] == ["green"]


def test_of_two_first_looks_the_first_one_makes_the_state(account: Account) -> None:
    plan, store = account.setup.plan, StateStore(table=TABLE, client=account.clients.ledger)
    first = store.save(store.load(plan, account.now))
    second = StateStore(table=TABLE, client=FakeLateTable(account.clients.ledger)).load(plan, account.now + 60)
    assert second == first
