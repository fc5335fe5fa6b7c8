"""The gate's rules: what each measures, that parts add up to the whole, and what is refused before anything runs."""

from __future__ import annotations

import functools
import math

import polars as pl
import pytest

from ml_lens_etl.quality import Measures, Rule, RuleError, judge

ROWS = pl.DataFrame({"x": [1.0, 2.0, 3.0, None, 10.0], "name": ["a", None, "c", "d", "e"]})


def _value(text: str, rows: pl.DataFrame = ROWS) -> float:
    rule = Rule.parse(text)
    return Measures.of(rows, [rule]).value(rule)


@pytest.mark.parametrize(
    ("text", "passed"),
    [
        ("RowCount >= 5", True),
        ("RowCount > 5", False),
        ("RowCount between 4 and 6", True),
        ("RowCount between 5 and 6", False),  # DQDL's between excludes its bounds
        ('IsComplete "x"', False),
        ('Completeness "x" >= 0.8', True),
        ('Completeness "name" > 0.8', False),
        ('ColumnValues "x" between 0 and 11', False),  # a null fulfils nothing
        ('ColumnValues "x" between 0 and 11 with threshold >= 0.8', True),
        ('ColumnValues "x" between 1 and 11 with threshold >= 0.8', False),
        ('ColumnValues "x" < 4 with threshold > 0.5', True),
        ('Mean "x" between 3.9 and 4.1', True),
        ('StandardDeviation "x" between 3.5 and 3.6', True),  # of the population, as Glue computes it
        ('Mean "gone" > 0', False),
        ('IsComplete "gone"', False),
    ],
)
def test_a_rule_judges_as_glue_does(text: str, passed: bool) -> None:
    (verdict,) = judge([Rule.parse(text)], Measures.of(ROWS, [Rule.parse(text)]))
    assert verdict["passed"] is passed
    assert verdict["rule"] == text


def test_measures_of_parts_add_up_to_those_of_the_whole() -> None:
    texts = ('Mean "x" > 0', 'StandardDeviation "x" > 0', 'ColumnValues "x" > 1.5', 'IsComplete "x"', "RowCount > 0")
    rules = [Rule.parse(text) for text in texts]
    parts = [Measures.of(ROWS.slice(start, length), rules) for start, length in ((0, 1), (1, 3), (4, 1), (5, 0))]
    added = functools.reduce(Measures.plus, parts, Measures())
    for rule in rules:
        assert added.value(rule) == pytest.approx(Measures.of(ROWS, rules).value(rule), rel=1e-15)


def test_of_no_rows_every_rule_but_the_count_fails() -> None:
    assert _value("RowCount >= 1", ROWS.clear()) == 0
    for text in ('IsComplete "x"', 'Mean "x" > -1', 'StandardDeviation "x" >= 0'):
        assert math.isnan(_value(text, ROWS.clear()))
        assert not judge([Rule.parse(text)], Measures.of(ROWS.clear(), [Rule.parse(text)]))[0]["passed"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        'Uniqueness "x" > 0.9',
        "IsComplete",
        'IsComplete "x" > 1',
        'RowCount "x" > 1',
        "RowCount",
        "RowCount about 5",
        "RowCount >= many",
        'Mean "x" between 1 and',
        'ColumnValues "x" > 1 with threshold of 0.5',
    ],
)
def test_fails_on_a_rule_outside_the_part_of_dqdl(text: str) -> None:
    with pytest.raises(RuleError):
        Rule.parse(text)
