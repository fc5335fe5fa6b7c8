"""The lake's demo through the real thing, and its judgement of runs that went wrong."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from cdk_ml_lens.local import cli
from cdk_ml_lens.local.lake_demo import Zone, judge
from cdk_ml_lens.local.lake_plan import LakePlan, plan

pytestmark = pytest.mark.laptop_cloud
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_every_message_is_a_row_an_error_or_a_quarantined_row(capsys: pytest.CaptureFixture[str]) -> None:
    code = cli.main(["demo", "lake", "--json", "--devices", "3", "--readings", "70"])
    captured = capsys.readouterr()
    assert code == 0, captured.err
    result = json.loads(captured.out)
    assert result["reconciled"] is True
    zones = result["zones"]
    assert list(zones) == ["raw", "modelled", "enhanced", "transformed"]
    for zone in zones.values():
        assert zone["in"] == zone["out"] + zone["quarantined"]
    assert zones["raw"]["in"] == result["sent"] == 3 * 70 + 2 + 3 * 11
    assert zones["raw"]["quarantined"] == 3 * 6
    assert zones["modelled"]["reasons"] == {"duplicate": 5, "in_future": 3, "late": 3, "no_value": 3, "out_of_range": 3}
    assert zones["transformed"]["out"] == 210
    assert sum(int(row["rows"]) for row in result["features"]) == 210
    assert {zone["engine"] for zone in zones.values()} == {"", "single_node"}


@pytest.fixture
def wanted() -> LakePlan:
    return plan(devices=2, readings=50, seed=1, now=NOW)


def zones_of(wanted: LakePlan) -> dict[str, Zone]:
    """Return the zones of a run without fault."""
    rows, refused = wanted.sent - wanted.refused, wanted.reasons.total()
    kept = Zone(rows_in=rows - refused, out=rows - refused, quarantined=0)
    modelled = Zone(rows_in=rows, out=rows - refused, quarantined=refused, reasons=wanted.reasons)
    raw = Zone(rows_in=wanted.sent, out=rows, quarantined=wanted.refused)
    return {"raw": raw, "modelled": modelled, "enhanced": kept, "transformed": kept}


def faults(wanted: LakePlan, zones: dict[str, Zone]) -> list[str]:
    return judge(wanted, zones, features=[{"rows": "1"}], seconds={}).faults


def test_a_run_without_fault_is_reconciled(wanted: LakePlan) -> None:
    assert faults(wanted, zones_of(wanted)) == []


def test_a_lost_row_is_a_fault_wherever_it_was_lost(wanted: LakePlan) -> None:
    good = zones_of(wanted)
    for name, zone in good.items():
        lost = {**good, name: replace(zone, out=zone.out - 1)}
        assert f"rows do not add up in {name}" in faults(wanted, lost)
        assert judge(wanted, lost, features=[], seconds={}).reconciled is False
    late = {**good, "enhanced": Zone(rows_in=3, out=3, quarantined=0)}
    assert "rows were lost from modelled to enhanced, enhanced to transformed" in faults(wanted, late)


def test_rows_refused_for_another_reason_are_a_fault(wanted: LakePlan) -> None:
    good = zones_of(wanted)
    other = Counter({"late": wanted.reasons.total()})
    (fault,) = faults(wanted, {**good, "modelled": replace(good["modelled"], reasons=other)})
    assert fault.startswith("cleaning refused {'late'")


def test_features_without_rows_are_a_fault(wanted: LakePlan) -> None:
    assert judge(wanted, zones_of(wanted), features=[], seconds={}).faults == ["the features have no rows"]


def test_the_readings_are_recent_and_each_kind_of_trouble_is_among_them(wanted: LakePlan) -> None:
    bodies = [json.loads(message.body) for message in wanted.plan.outgoing if message.reason is None]
    times = [datetime.fromisoformat(body["timestamp"]) for body in bodies]
    assert (NOW - min(times)).total_seconds() == 500.0
    assert max(times) < NOW
    assert len(bodies) == 100
    assert set(wanted.reasons) == {"duplicate", "late", "in_future", "out_of_range", "no_value"}
    assert wanted.refused == 12
