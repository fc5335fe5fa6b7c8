"""PropError: one message form, all faults at once."""

from __future__ import annotations

import pytest

from cdk_ml_lens.core.errors import Faults, PropError


def test_message_has_prop_rule_and_value() -> None:
    faults = Faults("variant 'blue'")
    faults.unless(False, "weight", "be at least 0", -1)
    with pytest.raises(PropError, match=r"^weight must be at least 0 for variant 'blue', got -1$"):
        faults.raise_any()


def test_hint_follows_the_value() -> None:
    faults = Faults()
    faults.within("percent", 120, 1, 100, "use a share")
    with pytest.raises(PropError, match=r"^percent must be between 1 and 100, got 120; use a share$"):
        faults.raise_any()


def test_all_faults_are_reported_together() -> None:
    faults = Faults("alarm")
    faults.unless(False, "a", "be so", 1)
    faults.unless(True, "b", "be so", 2)
    faults.unless(False, "c", "be so", 3)
    with pytest.raises(PropError) as raised:
        faults.raise_any()
    assert [fault.prop for fault in raised.value.faults] == ["a", "c"]
    assert str(raised.value).count("\n") == 1


def test_no_fault_raises_nothing() -> None:
    faults = Faults()
    faults.unless(True, "a", "be so", 0)
    faults.raise_any()
