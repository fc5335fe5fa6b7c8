"""A call of a handler and what becomes of its errors: tried again, throttled to the end, and refused."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from moto import mock_aws

from tests.calls import gaps
from tests.calls.trouble import trouble

ONCE, BUSY, REFUSED = "throttled once", "throttled to the end", "refused"
DONE, RAISED = "done", "raised"
RETRIED = "retried"
_BUSY = {
    "dynamodb": "ProvisionedThroughputExceededException",
    "lambda": "TooManyRequestsException",
    "s3": "SlowDown",
    "sns": "Throttling",
    "sqs": "RequestThrottled",
}
_REFUSED = {"s3": "AccessDenied", "sns": "AuthorizationError"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """One call.

    Attributes
    ----------
    call : str
        ``service:Operation``.
    busy, refused : str
        What becomes of it when it is throttled to the end, and when it is refused.
    skip : int
        How many requests of this operation pass before: the same operation may be called at several places.
    way : str
        Which way through the handler leads to it, in words of the test.
    """

    call: str
    busy: str = RAISED
    refused: str = RAISED
    skip: int = 0
    way: str = ""

    def __str__(self) -> str:
        """Return the id of the test."""
        return " ".join(filter(None, (self.call, self.way, f"{self.skip + 1}" if self.skip else "")))

    def meet(self, kind: str, act: Callable[[], str]) -> None:
        """Make trouble, act, and compare what was seen with what is to become of it."""
        service, operation = self.call.split(":")
        code = _REFUSED.get(service, "AccessDeniedException")
        given: dict[str, Any] = {"result": self.refused}
        if kind != REFUSED:
            code = _BUSY.get(service, "ThrottlingException")
            given = {"result": RETRIED, "times": 1} if kind == ONCE else {"result": self.busy}
        with trouble(service, operation, code, skip=self.skip, **given) as met:
            found = act()
        assert found == (DONE if kind == ONCE else met.result)


def troubles(cases: Iterable[Case], kinds: Iterable[str] = (ONCE, BUSY, REFUSED)) -> list[Any]:
    """Return each case with each kind of trouble."""
    kinds = tuple(kinds)
    return [pytest.param(case, kind, id=f"{case}, {kind}") for case in cases for kind in kinds]


def raised(act: Callable[[], Any], *errors: type[Exception]) -> str:
    """Act; say whether one of the errors came out."""
    try:
        act()
    except errors:
        return RAISED
    return DONE


@contextmanager
def account(region: str) -> Iterator[None]:
    """Mock AWS in a region."""
    with mock_aws(config={"lambda": {"use_docker": False}}), gaps.closed(), pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "testing")
        patch.setenv("AWS_DEFAULT_REGION", region)
        yield
