"""Looking at an A/B test, on moto: users taken in once, a verdict announced once, its shift started once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from ml_lens_runtime.ab_state import ANNOUNCE_SECONDS, StateCache, StateConflictError, StateStore
from tests.handlers.ab_account import Account, mocked_account, outcome, users
from tests.handlers.ab_support import HOUR


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    with mocked_account(monkeypatch) as account:
        yield account


def test_users_are_taken_in_once_after_their_window(account: Account) -> None:
    users(account, 20, converted={"blue": 3, "green": 2})
    assert account.evaluate()["users"] == {"control": 0, "treatment": 0}
    account.close_windows()
    account.now -= 1
    assert account.evaluate()["users"] == {"control": 0, "treatment": 0}
    account.now += 1
    counted = account.evaluate()["users"]
    assert counted["control"] + counted["treatment"] == 20
    assert account.evaluate()["users"] == counted


def test_a_look_without_time_leaves_the_rest_to_the_next(account: Account) -> None:
    users(account, 5, converted={"blue": 0, "green": 0})
    account.close_windows()
    assert sum(account.evaluate(time_left=29)["users"].values()) == 0
    assert sum(account.evaluate()["users"].values()) == 5


def decide(account: Account, *, converted: dict[str, int]) -> dict[str, Any]:
    account.plan(min_users=20, effect=0.5)
    account.report(*users(account, 100, converted=converted))
    account.close_windows()
    found: dict[str, Any] = account.evaluate()["verdict"]
    return found


@pytest.mark.parametrize(
    ("converted", "winner"), [({"blue": 0, "green": 40}, "green"), ({"blue": 40, "green": 0}, "blue")]
)
def test_the_better_variant_is_announced_once_and_its_shift_started_once(
    account: Account, converted: dict[str, int], winner: str
) -> None:
    verdict = decide(account, converted=converted)
    assert verdict["winner"] == winner
    assert verdict["p_value"] < 0.05
    (event,) = account.announced()
    assert (event["detail-type"], event["detail"]["winner"]) == ("AB Test Decided", winner)
    (given,) = account.started()
    assert (given["winner"], given["test"]) == (winner, "checkout")
    account.now += HOUR
    assert account.evaluate()["verdict"] == verdict
    assert account.announced() == []
    assert len(account.started()) == 1


def test_after_a_shift_has_started_requests_follow_the_endpoints_weights(account: Account) -> None:
    decide(account, converted={"blue": 0, "green": 40})
    account.cache = StateCache()
    assert account.assign("new-user")["target_variant"] is not None
    account.now += ANNOUNCE_SECONDS
    account.cache = StateCache()
    assert account.assign("new-user")["target_variant"] is None


def test_without_a_shift_the_split_stays(account: Account) -> None:
    account.setup = replace(account.setup, shift_arn="")
    assert decide(account, converted={"blue": 0, "green": 40})["winner"] == "green"
    account.now += HOUR
    account.cache = StateCache()
    assert account.assign("new-user")["target_variant"] is not None


def test_a_test_that_ends_without_a_winner_starts_nothing(account: Account) -> None:
    account.plan(max_users=100)
    verdict = decide(account, converted={"blue": 5, "green": 5})
    assert (verdict["decision"], verdict["winner"]) == ("inconclusive", None)
    assert [event["detail"]["decision"] for event in account.announced()] == ["inconclusive"]
    assert account.started() == []


def test_an_announcement_that_failed_is_made_by_the_next_look(account: Account) -> None:
    machine = account.setup.shift_arn
    account.setup = replace(account.setup, shift_arn=f"{machine}-gone")
    with pytest.raises(ClientError):
        decide(account, converted={"blue": 0, "green": 40})
    assert len(account.announced()) == 1
    account.setup = replace(account.setup, shift_arn=machine)
    assert account.evaluate()["verdict"]["winner"] == "green"
    assert len(account.started()) == 1
    assert account.announced() == []


def test_two_looks_at_once_count_nobody_twice(account: Account) -> None:
    users(account, 5, converted={"blue": 0, "green": 0})
    store = StateStore(table=account.setup.table, client=account.clients.ledger)
    stale = store.load(account.setup.plan, account.now)
    account.close_windows()
    account.evaluate()
    with pytest.raises(StateConflictError):
        store.save(stale)


def test_thompson_announces_a_bounded_step_that_takes_effect_later_and_keeps_open_windows(account: Account) -> None:
    account.plan(policy="thompson", min_users=20, effect=0.5, max_step=0.1, floor=0.05, alpha=1e-6)
    account.report(*users(account, 100, converted={"blue": 2, "green": 15}))
    account.close_windows()
    account.now -= 600  # these come before the change; their windows are open when it takes effect
    sides = {f"late-{n}": account.assign(f"late-{n}")["target_variant"] for n in range(40)}
    account.now += 600
    assert account.evaluate()["share"] == pytest.approx(0.6)
    (event,) = account.announced()
    assert (event["detail-type"], event["detail"]["treatment_share"]) == ("AB Test Weights Changed", 0.6)
    assert event["detail"]["effective_at"] == account.now + ANNOUNCE_SECONDS
    account.now += ANNOUNCE_SECONDS + 10
    assert {name: account.assign(name)["target_variant"] for name in sides} == sides


def test_a_deployed_change_of_the_share_is_announced_too(account: Account) -> None:
    account.evaluate()
    account.plan(treatment_share=0.2)
    assert account.evaluate()["share"] == 0.2
    assert [event["detail"]["treatment_share"] for event in account.announced()] == [0.2]


@pytest.mark.parametrize(("metric", "expected"), [("total", {0.0, 30.0}), ("average", {15.0})])
def test_a_mean_is_of_the_users_total_or_of_their_average(account: Account, metric: str, expected: set[float]) -> None:
    account.plan(metric=metric, maximum=100.0)
    ids = [account.assign("ann")["inference_id"] for _ in range(2)]
    account.assign("someone-else")
    account.report(outcome(ids[0], 10.0), outcome(ids[1], 20.0))
    account.close_windows()
    account.evaluate()
    state = StateStore(table=account.setup.table, client=account.clients.ledger).load(account.setup.plan, account.now)
    total = state.control.merge(state.treatment)
    assert total.count == len(expected)
    assert total.mean == pytest.approx(sum(expected) / len(expected))


def test_a_state_that_cannot_be_written_is_no_conflict(account: Account) -> None:
    state = StateStore(table=account.setup.table, client=account.clients.ledger).load(account.setup.plan, account.now)
    with pytest.raises(ClientError, match="ResourceNotFound"):
        StateStore(table="gone", client=account.clients.ledger).save(state)
