"""One fault while it lasts: sends, waits until the accounts settle, and closes them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cdk_ml_lens.local.demo_accounts import Accounts
from cdk_ml_lens.local.demo_plan import Outgoing, Plan
from cdk_ml_lens.local.faults.door import Door
from cdk_ml_lens.local.faults.effects import Effects
from cdk_ml_lens.local.faults.rows import Row
from cdk_ml_lens.local.faults.stage import Stage

PATIENCE_SECONDS = 90.0
"""How long nothing may happen before what is still missing counts as lost."""

QUIET_SECONDS = 3.0
"""How long nothing may happen before a fault is over: a second delivery would show up within this time."""

_PAUSE = 0.5

OnTick = Callable[[Accounts], None]


@dataclass(kw_only=True)
class Performance:
    """What a fault works with.

    Parameters
    ----------
    stage, door, effects
        The flagship, the way in, and what comes out.
    messages
        All messages of this fault, to be sent by `send`.
    on_tick
        Called while the fault waits.
    """

    stage: Stage
    door: Door
    effects: Effects
    messages: Sequence[Outgoing]
    on_tick: OnTick

    def __post_init__(self) -> None:
        self.accounts = Accounts(
            Plan(
                title="", mode="faults", features=(), training=(), rows=0, quantile=0.0,
                outgoing=self.messages, windows=(),
            )
        )  # fmt: skip

    def send(self, part: Sequence[Outgoing] | None = None) -> None:
        """Send some messages, or all."""
        self.door.send(self.messages if part is None else part, self.accounts)

    def settle(self) -> None:
        """Wait until every message is accounted for and nothing more happens."""
        self.wait(lambda: not self.accounts.lost and self.accounts.waiting == 0)
        while self.accounts.idle_seconds < QUIET_SECONDS:
            self.look()

    def wait(self, done: Callable[[], bool], *, letters: bool = True) -> None:
        """Wait for something, as long as anything happens at all."""
        while not done() and self.accounts.idle_seconds < PATIENCE_SECONDS:
            self.look(letters=letters)

    def look(self, *, letters: bool = True) -> None:
        """Pause, then note what is new."""
        time.sleep(_PAUSE)
        self.effects.collect(self.accounts, letters=letters)
        self.on_tick(self.accounts)

    def close(self, fault: str, what: str, *, seconds: float) -> Row:
        """Close the accounts."""
        scored, dead = self.accounts.predictions.keys(), self.accounts.dead.keys()
        return Row(
            fault=fault,
            sent=len(self.accounts.published),
            scored=len(scored),
            dead_lettered=len(dead - scored),
            duplicates_suppressed=self.accounts.publications - len(self.accounts.published),
            repeated=self.accounts.duplicates,
            lost=len(self.accounts.lost),
            doubled=len(scored & dead) + self.accounts.unknown,
            seconds=round(seconds, 1),
            what=what,
        )
