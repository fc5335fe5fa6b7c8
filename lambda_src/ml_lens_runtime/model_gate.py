"""The gate of a training pipeline: bounds, margins over the champion, and what counts as missing."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ml_lens_runtime.errors import ConfigurationError

_DIRECTIONS = ("at_most", "at_least")


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """One rule: a fixed bound, or a margin over the champion.

    Attributes
    ----------
    number : float
        Bound, or by how much the candidate may be worse than the champion.
    relative : bool
        Whether ``number`` is a margin.
    """

    metric: str
    number: float
    direction: str
    relative: bool

    def check(self, candidate: Mapping[str, Any], champion: Mapping[str, Any] | None) -> dict[str, Any]:
        """Judge one metric; a value that is missing or no finite number does not pass."""
        value = number_of(candidate.get(self.metric))
        best = None if champion is None else number_of(champion.get(self.metric))
        return {
            "metric": self.metric,
            "rule": self._text(),
            "value": value,
            "champion": best,
            "passed": value is not None and self._holds(value, best, alone=champion is None),
        }

    def _holds(self, value: float, best: float | None, *, alone: bool) -> bool:
        if not self.relative:
            return _good(value, self.number, self.direction)
        if alone:
            return True
        worse = self.number if self.direction == "at_most" else -self.number
        return best is not None and _good(value, best + worse, self.direction)

    def _text(self) -> str:
        if not self.relative:
            return f"{self.direction} {self.number:g}"
        sign = "+" if (self.direction == "at_most") == (self.number >= 0) else "-"
        return f"{self.direction} champion {sign} {abs(self.number):g}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Gate:
    """All rules, and the fewest rows to judge by."""

    rules: tuple[Rule, ...]
    minimum_rows: int

    @classmethod
    def parse(cls, environ: Mapping[str, str]) -> Gate:
        """Parse the variable ``GATE``.

        Raises
        ------
        ConfigurationError
            It is missing or invalid.
        """
        try:
            given = json.loads(environ["GATE"])
            bounds = [_rule(entry, "bound") for entry in given["bounds"]]
            margins = [_rule(entry, "margin") for entry in given["margins"]]
            rows = int(given["minimum_rows"])
        except (KeyError, TypeError, ValueError) as error:
            raise ConfigurationError(f"GATE must hold bounds, margins and minimum_rows: {error!r}") from None
        if not bounds:
            raise ConfigurationError("GATE must have at least one bound")
        return cls(rules=(*bounds, *margins), minimum_rows=rows)

    def checks(self, evaluation: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Return every check of an evaluation."""
        candidate = _metrics(evaluation.get("candidate"))
        champion = None if evaluation.get("champion") is None else _metrics(evaluation["champion"])
        rows = number_of(evaluation.get("rows"))
        enough = rows is not None and rows >= self.minimum_rows
        size = {"metric": "rows", "rule": f"at_least {self.minimum_rows}", "value": rows, "champion": None}
        return [{**size, "passed": enough}, *(rule.check(candidate, champion) for rule in self.rules)]


def number_of(value: Any) -> float | None:
    """Return a finite number, or None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return value if math.isfinite(value) else None
    except OverflowError:  # an integer beyond the largest float
        return None


def _good(value: float, limit: float, direction: str) -> bool:
    return value <= limit if direction == "at_most" else value >= limit


def _metrics(model: Any) -> Mapping[str, Any]:
    found = model.get("metrics") if isinstance(model, dict) else None
    return found if isinstance(found, dict) else {}


def _rule(entry: Mapping[str, Any], kind: str) -> Rule:
    metric, number, direction = entry["metric"], number_of(entry[kind]), entry["direction"]
    if not isinstance(metric, str) or not metric or number is None or direction not in _DIRECTIONS:
        raise ValueError(f"a {kind} must have a metric, a finite number and a direction, got {entry}")
    return Rule(metric=metric, number=number, direction=direction, relative=kind == "margin")
