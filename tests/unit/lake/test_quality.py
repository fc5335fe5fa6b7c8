"""Quality rules: the text is DQDL that our jobs read, and nonsense is refused."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from cdk_ml_lens.core.errors import PropError
from cdk_ml_lens.lake.quality import QualityGate, QualityRule


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        (QualityRule.row_count(at_least=100), "RowCount >= 100"),
        (QualityRule.is_complete("device_id"), 'IsComplete "device_id"'),
        (QualityRule.completeness("temperature", at_least=0.95), 'Completeness "temperature" >= 0.95'),
        (QualityRule.values_between("temperature", -40, 125.5), 'ColumnValues "temperature" between -40 and 125.5'),
        (
            QualityRule.values_between("temperature", 0, 1, share=0.99),
            'ColumnValues "temperature" between 0 and 1 with threshold >= 0.99',
        ),
        (QualityRule.mean_between("temperature", 10, 30), 'Mean "temperature" between 10 and 30'),
        (
            QualityRule.deviation_between("temperature", 1e-7, 5.0),
            'StandardDeviation "temperature" between 0.0000001 and 5.0',
        ),
    ],
)
def test_rules_render_dqdl_without_exponents(rule: QualityRule, text: str) -> None:
    assert rule.text == text


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: QualityRule.row_count(at_least=0), "at_least must be at least 1 for quality rule RowCount, got 0"),
        (lambda: QualityRule.is_complete('a"b'), "column must be a column name without quotes"),
        (lambda: QualityRule.completeness("a", at_least=1.1), "at_least must be between 0 and 1"),
        (lambda: QualityRule.values_between("a", 2, 1), "low must be below 1 for quality rule ColumnValues of 'a'"),
        (lambda: QualityRule.values_between("a", 1, 2, share=-0.1), "share must be between 0 and 1"),
        (lambda: QualityRule.mean_between("a", 1, 1), "low must be below 1"),
        (lambda: QualityRule.deviation_between("a", 0, float("inf")), "bounds must be finite"),
        (lambda: QualityGate(max_quarantined_share=1.5), "max_quarantined_share must be between 0 and 1"),
    ],
)
def test_fails_on_rules_that_say_nothing(make: Callable[[], object], message: str) -> None:
    with pytest.raises(PropError, match=message):
        make()


def test_a_gate_without_props_wants_a_row_and_few_refusals() -> None:
    gate = QualityGate()
    assert [rule.text for rule in gate.rules] == ["RowCount >= 1"]
    assert gate.max_quarantined_share == 0.05


def test_a_gate_keeps_the_rules_of_the_columns_that_a_table_has() -> None:
    gate = QualityGate(rules=[QualityRule.row_count(at_least=1), QualityRule.is_complete("a")])
    assert [rule.text for rule in gate.for_columns(["b"]).rules] == ["RowCount >= 1"]
    gate.check_columns(["a"], "step")
    with pytest.raises(PropError, match=r"quality must look at the columns \['b'\] for step 'clean', got \['a'\]"):
        gate.check_columns(["b"], "step 'clean'")
