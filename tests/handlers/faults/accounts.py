"""The accounts of one fault: what became of every reading, from the prediction log and the dead letters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.handlers.fakes import FakeClients
from tests.handlers.support import Scorer

TIER = "handlers"


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of docs/evidence/faults.json.

    Attributes
    ----------
    scored, dead_lettered : int
        Readings; none counts in both.
    duplicates_suppressed : int
        Deliveries of a reading beyond its first that changed nothing.
    repeated : int
        Records with the id, and the score, of an earlier one: effects of a function that died before it could
        note them. Whoever reads by id counts one.
    lost : int
        Readings that ended nowhere.
    doubled : int
        Readings that ended twice: scored and dead-lettered, or scored with different results.
    """

    fault: str
    sent: int
    scored: int
    dead_lettered: int
    duplicates_suppressed: int
    repeated: int
    lost: int
    doubled: int
    what: str
    seconds: float = 0.0
    tier: str = TIER

    @property
    def closes(self) -> bool:
        """Tell whether every reading ended exactly once."""
        return self.scored + self.dead_lettered == self.sent and self.lost == self.doubled == 0


@dataclass
class CountingScorer(Scorer):
    """A scorer that adds up what its invocations counted."""

    total: Counter[str] = field(default_factory=Counter)

    def __call__(self, event: Any, **changes: Any) -> list[str]:
        failed = super().__call__(event, **changes)
        assert self.meter is not None
        self.total += self.meter.counts
        return failed


def settle(
    fault: str, sent: Mapping[str, str], clients: FakeClients, scorer: CountingScorer, *, unread: Iterable[str] = (),
    what: str,
) -> Row:  # fmt: skip
    """Close the accounts.

    Parameters
    ----------
    sent
        Trace id to key (``device#reading``) of what was sent.
    unread
        Keys of what SQS itself moved to the dead letters.
    """
    lines: dict[str, Counter[float]] = {}
    for line in clients.log.lines:
        lines.setdefault(line["prediction_id"], Counter())[line["score"]] += 1
    letters = Counter(sent.get(letter["trace_id"], letter["trace_id"]) for letter in clients.queue.letters)
    dead, scored = set(letters) | set(unread), set(lines)
    keys = set(sent.values())
    records = sum(count for scores in lines.values() for count in scores.values())
    twice = (dead & scored) | {key for key, scores in lines.items() if len(scores) > 1} | ((dead | scored) - keys)
    return Row(
        fault=fault, sent=len(keys), scored=len(scored), dead_lettered=len(dead),
        duplicates_suppressed=scorer.total["Duplicates"],
        repeated=records - len(scored) + letters.total() - len(letters),
        lost=len(keys - dead - scored), doubled=len(twice), what=what,
    )  # fmt: skip
