"""start_retraining killed at every call, and met by another at every call: nothing is lost, doubled or run beside."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from ml_lens_runtime.retrain_setup import RetrainClients
from ml_lens_runtime.retrain_store import StateConflictError
from tests.handlers.retrain_account import REGION, TRAINING, Account, mocked_account, scheduled

SERVICES = ("ledger", "artifacts", "state_machine", "bus", "watch")
# Moments before and after the calls of an invocation, for each case of `arrange`; a test holds the numbers.
MOMENTS = {"first": 18, "second": 6, "after": 22, "prepared": 14}


class Killed(BaseException):
    """The process ends: no except clause of ours sees it."""


class FakeWire:
    """A client that counts its calls and lets a hook run before and after each. Changes no answer."""

    def __init__(self, client: Any, hook: Callable[[], None]) -> None:
        self._client, self._hook = client, hook

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._client, name)

        def call(**arguments: Any) -> Any:
            self._hook()
            answer = method(**arguments)
            self._hook()
            return answer

        return call


def wired(account: Account, hook: Callable[[], None]) -> RetrainClients:
    clients = RetrainClients(region=REGION)
    for name in SERVICES:
        clients.__dict__[name] = FakeWire(getattr(account.clients, name), hook)
    return clients


def at_call(number: int, action: Callable[[], None]) -> Callable[[], None]:
    """Return a hook that acts once, before or after the call of that number."""
    left = [number]

    def hook() -> None:
        left[0] -= 1
        if left[0] == 0:
            action()

    return hook


def void(_answer: object) -> None:
    """Drop an answer."""


def die() -> None:
    raise Killed


def tell_and_die(account: Account, event: Any, number: int) -> bool:
    """Tell an event to a process that dies at a call; return whether it got that far."""
    try:
        account.tell(event, wired(account, at_call(number, die)))
    except Killed:
        return True
    return False


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    with mocked_account(monkeypatch) as found:
        found.setup = replace(found.setup, cool_down_seconds=0)
        yield found


def drain(account: Account) -> None:
    """End what runs and look, until nothing is left to do."""
    for _ in range(6):
        told = account.look()
        if account.machines.running():
            account.end()
        elif told["outcome"] == "idle":
            return


def at_each(*cases: str) -> list[Any]:
    """Return each moment of some cases, and one after the last."""
    return [
        pytest.param(case, number, id=f"{case}-{number}") for case in cases for number in range(1, MOMENTS[case] + 2)
    ]


@pytest.mark.parametrize("case", MOMENTS)
def test_every_moment_of_an_invocation_is_tried(case: str, account: Account) -> None:
    event, _ = arrange(account, case)
    moments: list[None] = []
    account.tell(event, wired(account, lambda: moments.append(None)))
    assert len(moments) == MOMENTS[case]


def arrange(account: Account, case: str) -> tuple[Any, int]:
    """Bring retraining to where the event of a case meets it; return that event and the runs there will be."""
    if case == "first":
        return account.publish("v1", 1000), 1
    if case == "prepared":
        account.prepare_first()
        account.tell(scheduled("1"))
        account.publish("v1", 1000)
        return account.machines.end(), 1
    account.tell(account.publish("v1", 1000))
    if case == "second":
        return account.publish("v2", 1200), 2
    account.tell(account.publish("v2", 1200))
    return account.machines.end(), 2


@pytest.mark.parametrize(("case", "number"), at_each(*MOMENTS))
def test_killed_at_any_call_and_told_again_it_is_as_if_nothing_had_happened(
    case: str, number: int, account: Account
) -> None:
    event, runs = arrange(account, case)
    killed = tell_and_die(account, event, number)
    if killed:
        account.tell(event)
    drain(account)
    check(account, runs)
    started = [detail["run"] for type, detail in account.announced() if type == "Retraining Started"]
    assert len(set(started)) == runs
    assert len(started) <= runs + 1  # an event that was sent and not noted as sent comes again


@pytest.mark.parametrize("case", MOMENTS)
def test_killed_for_good_the_next_look_finishes_what_was_written(case: str, account: Account) -> None:
    event, runs = arrange(account, case)
    taken = False
    for number in range(1, MOMENTS[case] + 1):
        before = account.state().revision
        tell_and_die(account, event, number)
        taken = taken or account.state().revision > before
        if taken:
            break
    assert taken
    drain(account)
    check(account, runs)


@pytest.mark.parametrize(("case", "number"), at_each("first", "after", "prepared"))
def test_another_cause_between_any_two_calls_is_neither_lost_nor_run_beside(
    case: str, number: int, account: Account
) -> None:
    event, runs = arrange(account, case)
    other = {"cause": "manual", "id": "ticket"}
    met: list[str] = []

    def meet() -> None:
        met.append("met")
        account.tell(other)

    account.tell(event, wired(account, at_call(number, meet)))
    if not met:
        account.tell(other)
    drain(account)
    causes = [given["cause"] for given in account.machines.started(TRAINING)]
    assert sum("by hand" in cause for cause in causes) == 1
    assert account.machines.most_at_once == 1
    assert account.state().run is None
    assert account.state().waiting == ()
    assert runs <= len(causes) <= runs + 1  # the two causes share a run where both were waiting for it


@pytest.mark.parametrize("number", range(1, MOMENTS["first"] + 2))
def test_the_same_event_in_two_processes_at_once_is_one_run(number: int, account: Account) -> None:
    event, runs = arrange(account, "first")
    twice = at_call(number, lambda: void(account.tell(event)))
    account.tell(event, wired(account, twice))
    drain(account)
    check(account, runs)


def test_a_writer_that_is_always_too_late_gives_up_so_that_the_event_comes_again(account: Account) -> None:
    event = account.publish("v1", 1000)
    number = 0

    def disturb(**_: Any) -> Any:
        nonlocal number
        number += 1
        account.tell({"cause": "manual", "id": f"other {number}"})
        return account.clients.ledger.transact_write_items(**_)

    clients = wired(account, lambda: None)
    clients.__dict__["ledger"] = FakeOverride(account.clients.ledger, transact_write_items=disturb)
    with pytest.raises(StateConflictError):
        account.tell(event, clients)
    assert account.tell(event)["known"] is False


class FakeOverride:
    """A client with one method replaced. Everything else is that of the client."""

    def __init__(self, client: Any, **methods: Any) -> None:
        self._client = client
        self.__dict__.update(methods)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)


def check(account: Account, runs: int) -> None:
    assert len(account.machines.started(TRAINING)) == runs
    assert account.machines.most_at_once == 1
    state = account.state()
    assert (state.run, state.waiting, state.outbox) == (None, (), ())
