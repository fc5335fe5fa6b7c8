"""QualityRule and QualityGate: what a batch must fulfil before it is published, in Glue's own rule language."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from cdk_ml_lens.core.errors import Faults


@dataclass(frozen=True, kw_only=True)
class QualityRule:
    """One rule of a batch, in the part of DQDL that our jobs evaluate; made by the static methods.

    Parameters
    ----------
    text : str
        The rule in DQDL, as AWS Glue Data Quality would read it too.
    column : str, optional
        Column that it looks at. Default: none, a rule of the whole batch.

    Notes
    -----
    Source: https://docs.aws.amazon.com/glue/latest/dg/dqdl.html. Lens best practice MLOPS03-BP01.
    """

    text: str
    column: str | None = None

    @staticmethod
    def row_count(*, at_least: int) -> QualityRule:
        """Require rows: ``RowCount >= n``."""
        faults = Faults("quality rule RowCount")
        faults.unless(at_least >= 1, "at_least", "be at least 1", at_least)
        faults.raise_any()
        return QualityRule(text=f"RowCount >= {at_least}")

    @staticmethod
    def is_complete(column: str) -> QualityRule:
        """Require a value in every row: ``IsComplete "column"``."""
        return QualityRule(text=f"IsComplete {_quoted('IsComplete', column)}", column=column)

    @staticmethod
    def completeness(column: str, *, at_least: float) -> QualityRule:
        """Require a value in a share of the rows, 0 to 1: ``Completeness "column" >= share``."""
        _check_share("Completeness", "at_least", at_least)
        text = f"Completeness {_quoted('Completeness', column)} >= {_number(at_least)}"
        return QualityRule(text=text, column=column)

    @staticmethod
    def values_between(column: str, low: float, high: float, *, share: float | None = None) -> QualityRule:
        """Require values between two bounds, bounds excluded; a null is outside.

        Parameters
        ----------
        column : str
            Numeric column.
        low, high : float
            Bounds, in the column's unit; DQDL's ``between`` excludes them.
        share : float, optional
            Share of the rows that must fulfil it, 0 to 1. Default: all.
        """
        text = _between("ColumnValues", column, low, high)
        if share is not None:
            _check_share("ColumnValues", "share", share)
            text = f"{text} with threshold >= {_number(share)}"
        return QualityRule(text=text, column=column)

    @staticmethod
    def mean_between(column: str, low: float, high: float) -> QualityRule:
        """Require a mean between two bounds, bounds excluded."""
        return QualityRule(text=_between("Mean", column, low, high), column=column)

    @staticmethod
    def deviation_between(column: str, low: float, high: float) -> QualityRule:
        """Require a standard deviation between two bounds, bounds excluded."""
        return QualityRule(text=_between("StandardDeviation", column, low, high), column=column)


@dataclass(frozen=True, kw_only=True)
class QualityGate:
    """The rules of a step's output, and how many of its rows may be refused.

    Parameters
    ----------
    rules : sequence of QualityRule
        All must hold, or the whole batch is quarantined and the previous table stays. Default: at least one row.
    max_quarantined_share : float
        Rows refused one by one (out of range, late, duplicate …) over rows read, 0 to 1. Default: 0.05.

    Raises
    ------
    PropError
        When the share is out of range.
    """

    rules: Sequence[QualityRule] = (QualityRule(text="RowCount >= 1"),)
    max_quarantined_share: float = 0.05

    def __post_init__(self) -> None:
        object.__setattr__(self, "rules", tuple(self.rules))
        faults = Faults("quality gate")
        faults.within("max_quarantined_share", self.max_quarantined_share, 0, 1)
        faults.raise_any()

    def for_columns(self, columns: Sequence[str]) -> QualityGate:
        """Return the gate with those rules only that look at one of ``columns``, or at no column."""
        kept = [rule for rule in self.rules if rule.column is None or rule.column in columns]
        return QualityGate(rules=kept, max_quarantined_share=self.max_quarantined_share)

    def check_columns(self, columns: Sequence[str], which: str) -> None:
        """Refuse rules that look at a column which the table does not have.

        Raises
        ------
        PropError
            With the columns that are missing.
        """
        missing = [rule.column for rule in self.rules if rule.column is not None and rule.column not in columns]
        faults = Faults(which)
        faults.unless(not missing, "quality", f"look at the columns {list(columns)}", missing)
        faults.raise_any()


def _between(kind: str, column: str, low: float, high: float) -> str:
    faults = Faults(f"quality rule {kind} of {column!r}")
    faults.unless(math.isfinite(low) and math.isfinite(high), "bounds", "be finite", (low, high))
    faults.unless(low < high, "low", f"be below {high}", low)
    faults.raise_any()
    return f"{kind} {_quoted(kind, column)} between {_number(low)} and {_number(high)}"


def _check_share(kind: str, prop: str, share: float) -> None:
    faults = Faults(f"quality rule {kind}")
    faults.within(prop, share, 0, 1)
    faults.raise_any()


def _quoted(kind: str, column: str) -> str:
    faults = Faults(f"quality rule {kind}")
    faults.unless(column != "" and '"' not in column, "column", "be a column name without quotes", column)
    faults.raise_any()
    return f'"{column}"'


def _number(value: float) -> str:
    """Return the number without an exponent, which DQDL does not know."""
    return format(Decimal(repr(value)), "f")
