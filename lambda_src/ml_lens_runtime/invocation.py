"""One invocation of the function: its id, the clock, the time left and what it counts."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ml_lens_runtime.metrics import Meter

DEFAULT_SECONDS = 60.0  # time budget where there is no Lambda context
LEASE_MARGIN_SECONDS = 5.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Invocation:
    """What a run may know of its surroundings; tests hand in their own clock and sleep.

    Attributes
    ----------
    request_id : str
        Id of the invocation, the same on Lambda's own retries.
    now : Callable
        Seconds since the epoch.
    time_left : Callable
        Seconds until Lambda ends the function.
    sleep : Callable
        Waits a number of seconds.
    meter : Meter
        The counts of this invocation.
    seconds : float
        Time left at the start.
    """

    request_id: str
    now: Callable[[], float] = time.time
    time_left: Callable[[], float] = lambda: DEFAULT_SECONDS
    sleep: Callable[[float], None] = time.sleep
    meter: Meter = field(default_factory=Meter)
    seconds: float = DEFAULT_SECONDS

    @classmethod
    def from_lambda(cls, context: Any) -> Invocation:
        """Read the context that Lambda hands to a handler."""
        remaining = context.get_remaining_time_in_millis
        return cls(
            request_id=context.aws_request_id,
            time_left=lambda: float(remaining()) / 1000,
            seconds=float(remaining()) / 1000,
        )

    @property
    def lease_seconds(self) -> float:
        """How long a claim lasts: a bit longer than this function can live."""
        return self.seconds + LEASE_MARGIN_SECONDS

    def may_go_on(self, *, share: float) -> bool:
        """Tell whether at least this share of the invocation's time is left."""
        return self.time_left() >= share * self.seconds
