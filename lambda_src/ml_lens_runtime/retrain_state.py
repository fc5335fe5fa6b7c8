"""Where retraining stands: the run that is on, the causes that wait, and what was trained last."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from typing import Any

from ml_lens_runtime import strict_json


@dataclass(frozen=True, kw_only=True, slots=True)
class Cause:
    """Why a model should be trained again.

    Attributes
    ----------
    id : str
        The same for every delivery of the same cause.
    kind : str
        ``schedule``, ``data``, ``drift`` or ``manual``.
    text : str
        For people: what happened.
    at : float
        When it happened, or else when it was heard of; seconds since the epoch.
    dataset : str
        URI of the manifest that arrived, or nothing.
    alarm : str
        Name of the alarm, or nothing.
    rest_until : float
        A preparation brought too little for it; until then it starts no other by itself.
    """

    id: str
    kind: str
    text: str
    at: float
    dataset: str = ""
    alarm: str = ""
    rest_until: float = 0.0

    @property
    def slot(self) -> tuple[str, str]:
        """Of causes that wait, the newest of a slot stands for those before it."""
        return (self.kind, self.alarm)


@dataclass(frozen=True, kw_only=True, slots=True)
class Dataset:
    """A version of a dataset, as its manifest says, and when that was written."""

    uri: str
    version: str
    rows: int
    written: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """A run that was claimed; ``dataset`` is None while the dataset is being made."""

    name: str
    causes: tuple[Cause, ...]
    claimed_at: float
    dataset: Dataset | None = None
    started: bool = False

    @classmethod
    def parse(cls, given: dict[str, Any]) -> Run:
        """Read the JSON form."""
        dataset = given["dataset"]
        causes = tuple(Cause(**cause) for cause in given["causes"])
        return cls(**given | {"causes": causes, "dataset": None if dataset is None else Dataset(**dataset)})


@dataclass(frozen=True, kw_only=True, slots=True)
class State:
    """The whole.

    Attributes
    ----------
    revision : int
        Counts the writes; a write succeeds only on the revision that it was made from.
    run : Run or None
        The one that is on.
    waiting : tuple of Cause
        Taken, and not yet part of a run.
    claimed_at : float or None
        When the last run was claimed; the cool-down counts from there.
    trained : Dataset or None
        What was trained and judged last.
    outbox : tuple of dict
        Events that follow from this state and are not known to be sent.
    """

    revision: int = 0
    run: Run | None = None
    waiting: tuple[Cause, ...] = ()
    claimed_at: float | None = None
    trained: Dataset | None = None
    outbox: tuple[dict[str, Any], ...] = ()

    def with_waiting(self, cause: Cause) -> State:
        """Return the state with one more cause, which replaces that of its slot unless it is older."""
        others = tuple(one for one in self.waiting if one.slot != cause.slot)
        newest = max([cause, *(one for one in self.waiting if one.slot == cause.slot)], key=lambda one: one.at)
        return replace(self, waiting=(*others, newest))

    def to_json(self) -> str:
        """Return the state as text."""
        return strict_json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> State:
        """Read what `to_json` wrote."""
        given = json.loads(text)
        run, trained = given["run"], given["trained"]
        read = {
            "run": None if run is None else Run.parse(run),
            "waiting": tuple(Cause(**cause) for cause in given["waiting"]),
            "trained": None if trained is None else Dataset(**trained),
            "outbox": tuple(given["outbox"]),
        }
        return cls(**given | read)
