"""What goes wrong with the clients of the scorer: refused calls, and deaths before or after any call."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

from tests.handlers.fakes import FakeClients, aws_error
from tests.handlers.faults.sources import Killed

SERVICES = ("endpoint", "ledger", "queue", "log", "notify", "command", "state_machine", "function")
Failure = Callable[[], BaseException]


class FaultyClient:
    """A client whose calls fail or kill by a dice; everything else is the client's own.

    Parameters
    ----------
    before
        Returns what a call raises instead of being made, or None.
    after
        Returns what is raised when the call has been made, or None: the caller never sees the answer.
    """

    def __init__(
        self,
        client: Any,
        *,
        before: Callable[[str], BaseException | None] = lambda name: None,
        after: Callable[[str], BaseException | None] = lambda name: None,
    ) -> None:
        self._client, self._before, self._after = client, before, after

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._client, name)
        if not callable(found) or name.startswith("_"):
            return found

        def call(*arguments: Any, **request: Any) -> Any:
            self._raise(self._before(name))
            answer = found(*arguments, **request)
            self._raise(self._after(name))
            return answer

        return call

    @staticmethod
    def _raise(failure: BaseException | None) -> None:
        if failure is not None:
            raise failure


def refuse(
    clients: FakeClients, service: str, *codes: str, share: float, dice: Random, operation: str | None = None
) -> None:
    """Let a share of a service's calls fail with one of the codes; only one operation, if it is named."""

    def before(name: str) -> BaseException | None:
        hit = operation in (None, name) and dice.random() < share
        return aws_error(dice.choice(codes)) if hit else None

    setattr(clients, service, FaultyClient(getattr(clients, service), before=before))


def kill(clients: FakeClients, *, share: float, dice: Random) -> None:
    """Let the function die at a share of all calls: half of the times before it, half when AWS has done it."""

    def maybe(name: str) -> BaseException | None:
        return Killed(name) if dice.random() < share / 2 else None

    for service in SERVICES:
        setattr(clients, service, FaultyClient(getattr(clients, service), before=maybe, after=maybe))
