"""ModelGate: what a candidate must fulfil before it is registered, as values."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Literal

from cdk_ml_lens.core.errors import Faults

Direction = Literal["at_most", "at_least"]
_DIRECTIONS = ("at_most", "at_least")


@dataclass(frozen=True, kw_only=True)
class MetricBound:
    """A fixed bound on one metric.

    Parameters
    ----------
    metric : str
        Name in ``evaluation.json``, such as ``alert_rate``.
    bound : float
        In the metric's own unit.
    direction : {"at_most", "at_least"}
        Which side of the bound is good.

    Raises
    ------
    PropError
        When the direction is unknown, or the bound is no finite number.
    """

    metric: str
    bound: float
    direction: Direction

    def __post_init__(self) -> None:
        _check(self.metric, "bound", self.bound, self.direction)


@dataclass(frozen=True, kw_only=True)
class ChampionMargin:
    """A bound relative to the champion on the same rows; without a champion it holds.

    Parameters
    ----------
    metric : str
        Name in ``evaluation.json``.
    margin : float
        By how much the candidate may be worse, in the metric's own unit; a negative margin asks for an improvement.
    direction : {"at_most", "at_least"}
        ``at_least`` where more is better.

    Raises
    ------
    PropError
        When the direction is unknown, or the margin is no finite number.
    """

    metric: str
    margin: float
    direction: Direction

    def __post_init__(self) -> None:
        _check(self.metric, "margin", self.margin, self.direction)


@dataclass(frozen=True, kw_only=True)
class ModelGate:
    """Bounds and margins that all must hold; a metric that is missing or no finite number refuses the candidate.

    Parameters
    ----------
    bounds : sequence of MetricBound
        Fixed bounds, at least one.
    margins : sequence of ChampionMargin
        Bounds relative to the champion. Default: none.
    minimum_rows : int
        Fewest rows of the test split to judge by. Default: 100.

    Raises
    ------
    PropError
        When there is no bound, or a number is out of range.

    Notes
    -----
    Lens best practices MLOPS06-BP01, MLREL04-BP02: only what was measured against stated bounds is deployed.
    """

    bounds: Sequence[MetricBound]
    margins: Sequence[ChampionMargin] = ()
    minimum_rows: int = 100

    def __post_init__(self) -> None:
        object.__setattr__(self, "bounds", tuple(self.bounds))
        object.__setattr__(self, "margins", tuple(self.margins))
        faults = Faults("model gate")
        faults.unless(len(self.bounds) > 0, "bounds", "have at least one entry", self.bounds)
        faults.unless(self.minimum_rows >= 1, "minimum_rows", "be at least 1", self.minimum_rows)
        faults.raise_any()

    def render(self) -> str:
        """Return the gate as JSON, which the handler ``judge_candidate`` reads."""
        return json.dumps(asdict(self), sort_keys=True, separators=(",", ":"))


def _check(metric: str, prop: str, number: float, direction: str) -> None:
    faults = Faults(f"metric {metric!r}")
    faults.unless(bool(metric), "metric", "not be empty", metric)
    faults.unless(math.isfinite(number), prop, "be a finite number", number)
    faults.unless(direction in _DIRECTIONS, "direction", f"be one of {list(_DIRECTIONS)}", direction)
    faults.raise_any()
