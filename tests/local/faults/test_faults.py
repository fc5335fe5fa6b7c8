"""The flagship under each fault, small: the accounts close; and a redrive after a repair scores what had died."""

from __future__ import annotations

from pathlib import Path

import pytest

from cdk_ml_lens.local.faults import NAMES, run

ROOT = Path(__file__).resolve().parents[3]
COUNT = 300
# Those that only wait for pauses of the queue are left to `ml-lens faults`.
SMALL = tuple(name for name in NAMES if not name.startswith("throttling") or name == "throttling: DynamoDB")


@pytest.mark.laptop_cloud
def test_no_reading_is_lost_or_doubled_by_any_fault() -> None:
    rows = list(run(count=COUNT, app_dir=ROOT, only=SMALL))

    assert [row.fault for row in rows] == list(SMALL)
    assert [row for row in rows if not row.closes or row.sent != COUNT] == []
    by_name = {row.fault: row for row in rows}
    assert by_name["poison message"].dead_lettered == COUNT // 5
    assert by_name["duplicates"].duplicates_suppressed == 2 * COUNT
    redriven = by_name["endpoint deleted, redriven"]
    assert redriven.scored == COUNT
    assert f"{COUNT // 2} redriven" in redriven.what
