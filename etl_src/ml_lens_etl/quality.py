"""The quality gate: rules in a part of Glue's DQDL, measured device by device and judged over all of them."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from ml_lens_features.normalise import Moments

_RULE = re.compile(r'(?P<kind>[A-Za-z]+)(?:\s+"(?P<column>[^"]+)")?(?:\s+(?P<rest>.*))?')
_BETWEEN = re.compile(r"between\s+(?P<low>\S+)\s+and\s+(?P<high>\S+)")
_COMPARE = re.compile(r"(?P<sign>>=|<=|>|<|=)\s*(?P<number>\S+)")
_THRESHOLD = re.compile(r"(?P<test>.*?)\s+with\s+threshold\s+(?P<share>.+)")
_SIGNS: Mapping[str, Callable[[float, float], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
    "=": operator.eq,
}
OF_BATCH = ("RowCount",)
OF_COLUMN = ("IsComplete", "Completeness", "ColumnValues", "Mean", "StandardDeviation")


class RuleError(ValueError):
    """A rule is not in the part of DQDL that is understood."""


@dataclass(frozen=True, kw_only=True)
class Condition:
    """A comparison, or ``between`` whose bounds are excluded, as DQDL has it."""

    low: float = -math.inf
    high: float = math.inf
    sign: str | None = None

    @classmethod
    def parse(cls, text: str, rule: str) -> Condition:
        """Parse ``between a and b`` or ``>= a``.

        Raises
        ------
        RuleError
            It is neither.
        """
        between, compare = _BETWEEN.fullmatch(text.strip()), _COMPARE.fullmatch(text.strip())
        try:
            if between:
                return cls(low=float(between["low"]), high=float(between["high"]))
            if compare:
                return cls(low=float(compare["number"]), sign=compare["sign"])
        except ValueError:
            pass  # no number: said below
        raise RuleError(f"{rule!r}: {text!r} is neither a comparison nor between two numbers")

    def holds(self, value: float) -> bool:
        """Return whether the value fulfils it; what is not a number does not."""
        if math.isnan(value):
            return False
        return self.low < value < self.high if self.sign is None else _SIGNS[self.sign](value, self.low)

    def of(self, column: str) -> pl.Expr:
        """Return the same for every row; a null does not fulfil it."""
        values = pl.col(column)
        if self.sign is None:
            return values.is_between(self.low, self.high, closed="none").fill_null(value=False)
        compared: pl.Expr = getattr(operator, _SIGNS[self.sign].__name__)(values, self.low)
        return compared.fill_null(value=False)


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One rule: what it looks at, and what must hold of it."""

    text: str
    kind: str
    column: str
    condition: Condition
    share: Condition

    @classmethod
    def parse(cls, text: str) -> Rule:
        """Parse a rule.

        Raises
        ------
        RuleError
            It is not understood; nothing has run by then.
        """
        found = _RULE.fullmatch(text.strip())
        kind = found["kind"] if found else ""
        if not found or kind not in OF_BATCH + OF_COLUMN or (kind in OF_COLUMN) != (found["column"] is not None):
            raise RuleError(f"{text!r}: a rule begins with one of {OF_BATCH} or one of {OF_COLUMN} and a column")
        test, share = found["rest"] or "", Condition(low=1.0, sign=">=")
        limited = _THRESHOLD.fullmatch(test) if kind == "ColumnValues" else None
        if limited:
            test, share = limited["test"], Condition.parse(limited["share"], text)
        if kind == "IsComplete":
            if test:
                raise RuleError(f"{text!r}: IsComplete takes a column only")
            test = ">= 1"
        return cls(
            text=text, kind=kind, column=found["column"] or "", condition=Condition.parse(test, text), share=share
        )


@dataclass(frozen=True, kw_only=True)
class Measures:
    """What the rules need to know of a set of rows; two of them add up."""

    rows: int = 0
    moments: Mapping[str, Moments] = field(default_factory=dict)
    present: Mapping[str, int] = field(default_factory=dict)
    fulfilled: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, rows: pl.DataFrame, rules: Sequence[Rule]) -> Measures:
        """Measure rows for the rules; a column that they lack counts as null."""
        rules = [rule for rule in rules if rule.column in rows.columns]
        columns = dict.fromkeys(rule.column for rule in rules)
        spread = dict.fromkeys(rule.column for rule in rules if rule.kind in ("Mean", "StandardDeviation"))
        valued = [rule for rule in rules if rule.kind == "ColumnValues"]
        return cls(
            rows=len(rows),
            moments={name: Moments.of(rows[name]) for name in spread},
            present={name: len(rows) - rows[name].null_count() for name in columns},
            fulfilled={rule.text: int(rows.select(rule.condition.of(rule.column).sum()).item()) for rule in valued},
        )

    def plus(self, other: Measures) -> Measures:
        """Return the measures of both sets of rows together."""
        names = {**self.moments, **other.moments}
        return Measures(
            rows=self.rows + other.rows,
            moments={n: self.moments.get(n, Moments()).plus(other.moments.get(n, Moments())) for n in names},
            present=_added(self.present, other.present),
            fulfilled=_added(self.fulfilled, other.fulfilled),
        )

    def value(self, rule: Rule) -> float:
        """Return the number that the rule is about; of no rows it is not a number, but for their count."""
        moments = self.moments.get(rule.column, Moments())
        values: dict[str, Callable[[], float]] = {
            "RowCount": lambda: float(self.rows),
            "IsComplete": lambda: _share(self.present.get(rule.column, 0), self.rows),
            "Completeness": lambda: _share(self.present.get(rule.column, 0), self.rows),
            "ColumnValues": lambda: _share(self.fulfilled.get(rule.text, 0), self.rows),
            "Mean": lambda: moments.mean if moments.count else math.nan,
            "StandardDeviation": lambda: math.sqrt(_share(moments.squares, moments.count)),
        }
        return values[rule.kind]()


def judge(rules: Iterable[Rule], measures: Measures) -> list[dict[str, Any]]:
    """Return for each rule its text, whether it passed, and the number that it is about."""
    verdicts = []
    for rule in rules:
        value = measures.value(rule)
        condition = rule.share if rule.kind == "ColumnValues" else rule.condition
        known = None if math.isnan(value) else value
        verdicts.append({"rule": rule.text, "passed": condition.holds(value), "value": known})
    return verdicts


def _share(part: float, whole: int) -> float:
    return part / whole if whole else math.nan


def _added(one: Mapping[str, int], other: Mapping[str, int]) -> dict[str, int]:
    return {name: one.get(name, 0) + other.get(name, 0) for name in {**one, **other}}
