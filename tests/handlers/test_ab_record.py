"""Assigning and recording for an A/B test, on moto: sticky sides; outcomes once, late, unknown and kept apart."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from handlers.assign_variant import BadRequestError
from ml_lens_runtime.ab_state import StateStore
from tests.handlers.ab_account import Account, mocked_account, outcome
from tests.handlers.ab_support import HOUR


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    with mocked_account(monkeypatch) as account:
        yield account


def test_a_user_gets_the_same_variant_and_a_new_inference_id_each_time(account: Account) -> None:
    first, second = account.assign("ann"), account.assign("ann")
    assert first["target_variant"] == second["target_variant"] in ("blue", "green")
    assert first["inference_id"] != second["inference_id"]
    assert first["endpoint_name"] == "shop"
    assert len(account.items("user#")) == 1
    assert len(account.items("inference#")) == 2


def test_a_retry_with_the_same_inference_id_records_nothing_new(account: Account) -> None:
    answers = [account.assign("ann", inference_id="order-7") for _ in range(2)]
    assert answers[0] == answers[1]
    assert len(account.items("inference#")) == 1
    with pytest.raises(BadRequestError, match="same user"):
        account.assign("bob", inference_id="order-7")


@pytest.mark.parametrize("event", [None, {}, {"user_id": ""}, {"user_id": 7}, {"user_id": "x" * 1025}])
def test_a_request_without_a_usable_user_id_is_refused(account: Account, event: Any) -> None:
    from handlers import assign_variant

    with pytest.raises(BadRequestError, match="user_id must be"):
        assign_variant.run(setup=account.setup, event=event, clients=account.clients, cache=account.cache, now=0.0)


@pytest.mark.parametrize("id", ["", " x", "x" * 65, "ümlaut", 5])
def test_an_inference_id_that_sagemaker_would_refuse_is_refused(account: Account, id: Any) -> None:
    with pytest.raises(BadRequestError, match="inference_id must be"):
        account.assign("ann", inference_id=id)


def test_user_ids_are_not_stored(account: Account) -> None:
    account.assign("ann@example.com")
    assert "ann" not in str(account.items(""))


def test_everything_sent_twice_counts_once(account: Account) -> None:
    ids = [account.assign(f"user-{number}")["inference_id"] for number in range(6)]
    batch = [outcome(ids[0]), outcome(ids[1], 0), outcome("nobody"), "junk", outcome(ids[2], 7), outcome(ids[0])]
    assert account.report(*batch) == []
    before = (account.items("user#"), account.items("inference#"))
    assert sorted(letter["reason"] for letter in account.letters()) == ["not_json", "out_of_range", "unknown_inference"]

    assert account.report(*batch) == []

    assert (account.items("user#"), account.items("inference#")) == before
    assert account.letters() == []
    account.close_windows()
    assert account.evaluate()["users"] == {"control": 6 - treated(account), "treatment": treated(account)}
    state = StateStore(table=account.setup.table, client=account.clients.ledger).load(account.setup.plan, account.now)
    assert state.control.successes + state.treatment.successes == 1


def treated(account: Account) -> int:
    return sum(item["treated"]["BOOL"] for item in account.items("user#"))


def test_a_user_converts_once_however_often(account: Account) -> None:
    ids = [account.assign("ann")["inference_id"] for _ in range(3)]
    account.report(*[outcome(id) for id in ids])
    account.close_windows()
    account.evaluate()
    state = StateStore(table=account.setup.table, client=account.clients.ledger).load(account.setup.plan, account.now)
    assert (state.control.count + state.treatment.count, state.control.mean + state.treatment.mean) == (1, 1.0)


def test_another_value_for_a_recorded_outcome_is_kept_apart(account: Account) -> None:
    id = account.assign("ann")["inference_id"]
    account.report(outcome(id, 1))
    assert account.call(outcome(id, 0)) == {"results": [{"status": "apart", "reason": "conflicting_outcome"}]}
    (letter,) = account.letters()
    assert (letter["reason"], letter["detail"]) == ("conflicting_outcome", "recorded is 1.0, got 0.0")


def test_an_outcome_after_the_window_is_noted_as_late_and_not_used(account: Account) -> None:
    id = account.assign("ann")["inference_id"]
    account.now += 24 * HOUR + 1
    assert account.call(outcome(id))["results"][0]["status"] == "late"
    assert account.call(outcome(id))["results"][0]["status"] == "duplicate"
    (item,) = account.items("inference#")
    assert item["outcome_state"]["S"] == "late"
    assert "outcomes" not in account.items("user#")[0]


def test_an_outcome_that_waited_in_the_queue_counts_by_when_it_was_sent(account: Account) -> None:
    ids = [account.assign(name)["inference_id"] for name in ("ann", "bob")]
    sent = account.now + 24 * HOUR - 1
    account.now = sent + 600
    account.report(outcome(ids[0]), sent_at=sent)
    account.close_windows()
    account.report(outcome(ids[1]), sent_at=sent)  # its cohort is being read by now
    states = {item["id"]["S"]: item["outcome_state"]["S"] for item in account.items("inference#")}
    assert states == {f"inference#{ids[0]}": "counted", f"inference#{ids[1]}": "late"}


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("1", "wrong_type"),
        (None, "wrong_type"),
        (float("nan"), "not_finite"),
        (0.5, "out_of_range"),
        (-1, "out_of_range"),
    ],
)
def test_an_unusable_value_is_kept_apart(account: Account, value: Any, reason: str) -> None:
    id = account.assign("ann")["inference_id"]
    assert account.call(outcome(id, value)) == {"results": [{"status": "apart", "reason": reason}]}
    assert [letter["reason"] for letter in account.letters()] == [reason]


@pytest.mark.parametrize(("value", "mean"), [(True, 1.0), (False, 0.0)])
def test_a_conversion_may_be_told_as_true_or_false(account: Account, value: bool, mean: float) -> None:
    id = account.assign("ann")["inference_id"]
    assert account.call(outcome(id, value))["results"][0]["status"] == "counted"
    account.close_windows()
    account.evaluate()
    state = StateStore(table=account.setup.table, client=account.clients.ledger).load(account.setup.plan, account.now)
    assert state.control.mean + state.treatment.mean == mean


def test_bodies_that_are_no_outcome_are_kept_apart_whole(account: Account) -> None:
    account.report("[1]", '{"value": 1}', '{"inference_id": 4, "value": 1}')
    found = {letter["reason"]: letter["payload"] for letter in account.letters()}
    assert found == {
        "not_an_object": "[1]",
        "missing_field": '{"value": 1}',
        "wrong_type": '{"inference_id": 4, "value": 1}',
    }


def test_what_could_not_be_written_comes_again(account: Account) -> None:
    id = account.assign("ann")["inference_id"]
    whole = account.setup
    account.setup = replace(whole, table="gone")
    assert account.report(outcome(id), outcome("x")) == ["m0", "m1"]
    with pytest.raises(ClientError):
        account.call(outcome(id))
    account.setup = replace(whole, dead_letter_queue_url=whole.dead_letter_queue_url + "-gone")
    assert account.report(outcome(id), "junk") == ["m1"]
    account.setup = whole
    assert account.report("junk") == []
    assert len(account.letters()) == 1


def test_a_direct_call_takes_at_most_a_hundred(account: Account) -> None:
    assert len(account.call({"outcomes": [outcome("x")] * 100})["results"]) == 100
    with pytest.raises(ValueError, match="at most 100"):
        account.call({"outcomes": [outcome("x")] * 101})
