"""assign_variant, record_outcome and evaluate_test on moto: each call throttled and refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.handlers.ab_account import Account, make_account, outcome
from tests.handlers.calls.cases import DONE, Case, account, raised, troubles

AGAIN = "reported per record"


@pytest.fixture
def test() -> Iterator[Account]:
    with account("us-east-1"):
        yield make_account()


ASSIGN = (
    Case(call="dynamodb:GetItem", way="state"),
    Case(call="dynamodb:PutItem", way="state"),
    Case(call="dynamodb:PutItem", way="user", skip=1),
    Case(call="dynamodb:PutItem", way="inference", skip=2),
)


@pytest.mark.parametrize(("case", "kind"), troubles(ASSIGN))
def test_a_request_that_cannot_be_recorded_is_not_answered(case: Case, kind: str, test: Account) -> None:
    case.meet(kind, lambda: raised(lambda: test.assign("ann"), ClientError))
    assert len(test.items("inference#")) == (kind == "throttled once")


RECORD = (
    Case(call="dynamodb:GetItem", way="counted", busy=AGAIN, refused=AGAIN),
    Case(call="dynamodb:TransactWriteItems", way="counted", busy=AGAIN, refused=AGAIN),
    Case(call="dynamodb:UpdateItem", way="late", busy=AGAIN, refused=AGAIN),
    Case(call="dynamodb:GetItem", way="apart", busy=AGAIN, refused=AGAIN),
    Case(call="sqs:SendMessage", way="apart", busy=AGAIN, refused=AGAIN),
    Case(call="dynamodb:PutItem", way="apart", busy=AGAIN, refused=AGAIN),
)


def body(test: Account, way: str) -> Any:
    """Return an outcome that is counted, that comes too late, or that nobody asked for."""
    if way == "apart":
        return {"inference_id": "unknown", "value": "no number"}
    known = test.assign("ann")["inference_id"]
    if way == "late":
        test.close_windows()
    return outcome(known)


@pytest.mark.parametrize(("case", "kind"), troubles(RECORD))
def test_an_outcome_that_cannot_be_recorded_comes_again(case: Case, kind: str, test: Account) -> None:
    given = body(test, case.way)
    case.meet(kind, lambda: DONE if test.report(given) == [] else AGAIN)
    assert test.report(given) == []
    assert len(test.letters()) >= (case.way == "apart")


@pytest.mark.parametrize(("case", "kind"), troubles([Case(call="dynamodb:TransactWriteItems", way="direct")]))
def test_a_direct_call_that_cannot_be_recorded_raises(case: Case, kind: str, test: Account) -> None:
    given = body(test, "counted")
    case.meet(kind, lambda: raised(lambda: test.call(given), ClientError))
    assert test.call(given)["results"][0]["status"] == ("duplicate" if kind == "throttled once" else "counted")


EVALUATE = (
    Case(call="dynamodb:GetItem"),
    Case(call="dynamodb:Query"),
    Case(call="dynamodb:PutItem"),
    Case(call="events:PutEvents"),
    Case(call="stepfunctions:StartExecution"),
)


def decided(test: Account) -> None:
    """Bring a test to where the next look decides, announces and starts the shift: its users, as they are recorded."""
    plan = test.plan(min_users=10, effect=0.5)
    test.evaluate()
    puts = [{"PutRequest": {"Item": user(number, plan.cohort(test.now))}} for number in range(60)]
    for at in range(0, len(puts), 20):
        test.clients.ledger.batch_write_item(RequestItems={test.setup.table: puts[at : at + 20]})
    test.close_windows()


def user(number: int, cohort: int) -> dict[str, Any]:
    """Return the record of a user; those of the treatment have converted."""
    won = {name: {"N": "1"} for name in ("outcomes", "wins", "amount")} if number % 2 else {}
    return {
        "id": {"S": f"user#{number}"},
        "cohort": {"S": f"{cohort}#0"},
        "treated": {"BOOL": bool(number % 2)},
        "enrolled_at": {"N": "0"},
        "padding": {"S": "x" * 20_000},
        **won,
    }


@pytest.mark.parametrize(("case", "kind"), troubles(EVALUATE))
def test_a_look_that_fails_is_finished_by_the_next(case: Case, kind: str, test: Account) -> None:
    decided(test)
    look: Callable[[], Any] = test.evaluate
    case.meet(kind, lambda: raised(look, ClientError))
    assert look()["verdict"]["winner"] == "green"
    assert len(test.started()) == 1


def test_a_cohort_of_two_pages_is_taken_in_whole(test: Account) -> None:
    """DynamoDB ends a page at 1 MB: 60 users of 20 KB are two."""
    decided(test)
    assert test.evaluate()["users"] == {"control": 30, "treatment": 30}
