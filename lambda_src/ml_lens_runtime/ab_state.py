"""The one item that holds where an A/B test stands: samples, shares, verdict, and messages still to be sent."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from botocore.exceptions import ClientError

from ml_lens_runtime import strict_json
from ml_lens_runtime.ab_plan import Plan
from ml_lens_runtime.assignment import Share
from ml_lens_runtime.stats import Sample, Strata

KEY = {"id": {"S": "test"}}
CACHE_SECONDS = 10.0
ANNOUNCE_SECONDS = 30.0  # a change of shares takes effect this long after it is written: no reader's copy is older


class StateConflictError(Exception):
    """Somebody else changed the state in between; what was worked out from the older one is void."""


@dataclass(frozen=True, kw_only=True, slots=True)
class State:
    """Where a test stands.

    Attributes
    ----------
    revision : int
        Counts the writes; a write succeeds only on the revision that it was made from.
    cohort : int
        First cohort that is not yet in the samples.
    control, treatment : Sample
        Users whose window has closed.
    strata : Strata
        The same users, compared within their cohorts.
    shares : tuple of Share
        The last two announcements, newest last.
    looks : int
        Evaluations that saw new users.
    verdict : dict or None
        The decision, once there is one.
    released_at : float or None
        From then on the endpoint's own weights rule, because the traffic shift moves them.
    outbox : tuple of dict
        Events and starts that follow from this state and are not known to be delivered.
    """

    revision: int = 0
    cohort: int
    control: Sample = field(default_factory=Sample)
    treatment: Sample = field(default_factory=Sample)
    strata: Strata = field(default_factory=Strata)
    shares: tuple[Share, ...]
    looks: int = 0
    verdict: dict[str, Any] | None = None
    released_at: float | None = None
    outbox: tuple[dict[str, Any], ...] = ()

    @classmethod
    def first(cls, plan: Plan, now: float) -> State:
        """Return the state of a test that nobody has met yet."""
        return cls(cohort=plan.cohort(now), shares=(Share(version=0, treatment=plan.treatment_share, since=0.0),))

    def to_json(self) -> str:
        """Return the state as text; finite floats survive exactly, an unbounded interval's ends become null."""
        return strict_json.dumps(asdict(self))

    def take_in(self, control: Sample, treatment: Sample) -> State:
        """Return the state with the users of the next cohort."""
        return replace(
            self,
            cohort=self.cohort + 1,
            control=self.control.merge(control),
            treatment=self.treatment.merge(treatment),
            strata=self.strata.add(control, treatment),
        )

    @classmethod
    def from_json(cls, text: str) -> State:
        """Read what `to_json` wrote."""
        given = json.loads(text)
        return cls(
            **given
            | {
                "control": Sample(**given["control"]),
                "treatment": Sample(**given["treatment"]),
                "strata": Strata(**given["strata"]),
                "shares": tuple(Share(**share) for share in given["shares"]),
                "outbox": tuple(given["outbox"]),
            }
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class StateStore:
    """Reads and writes the state in DynamoDB, never over somebody else's write."""

    table: str
    client: Any

    def load(self, plan: Plan, now: float) -> State:
        """Return the state; the first call of a test makes it, so that no user precedes it."""
        answer = self.client.get_item(TableName=self.table, Key=KEY, ConsistentRead=True)
        if "Item" in answer:
            return State.from_json(answer["Item"]["state"]["S"])
        state = State.first(plan, now)
        try:
            self._put(state, "attribute_not_exists(id)")
        except StateConflictError:  # another process was first
            return self.load(plan, now)
        return state

    def save(self, state: State) -> State:
        """Write the successor of a state.

        Raises
        ------
        StateConflictError
            The stored revision is not the one that `state` was made from.
        """
        written = replace(state, revision=state.revision + 1)
        self._put(written, "revision = :seen", {":seen": {"N": str(state.revision)}})
        return written

    def _put(self, state: State, condition: str, values: dict[str, Any] | None = None) -> None:
        item = {**KEY, "revision": {"N": str(state.revision)}, "state": {"S": state.to_json()}}
        more = {} if values is None else {"ExpressionAttributeValues": values}
        try:
            self.client.put_item(TableName=self.table, Item=item, ConditionExpression=condition, **more)
        except ClientError as error:
            if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
                raise StateConflictError from error
            raise


@dataclass(kw_only=True)
class StateCache:
    """The state as one process last read it, at most `CACHE_SECONDS` old."""

    _held: State | None = None
    _until: float = 0.0

    def get(self, load: Callable[[], State], now: float) -> State:
        """Return the held state, or load it again."""
        if self._held is None or now >= self._until:
            self._held, self._until = load(), now + CACHE_SECONDS
        return self._held
