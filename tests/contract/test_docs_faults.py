"""docs/faults.md shows the evidence as it is, and the evidence shows what it must."""

from __future__ import annotations

import json

from cdk_ml_lens.local.faults import NAMES, rows
from tests.contract.pages import ROOT

DOCUMENT = json.loads((ROOT / "docs" / "evidence" / "faults.json").read_text())


def test_the_table_of_the_page_is_the_file_of_evidence() -> None:
    assert rows.markdown(DOCUMENT) in (ROOT / "docs" / "faults.md").read_text()


def test_every_row_closes_at_ten_thousand_readings() -> None:
    for row in DOCUMENT["rows"]:
        assert row["sent"] >= 10_000, row
        assert row["scored"] + row["dead_lettered"] == row["sent"], row
        assert row["lost"] == row["doubled"] == 0, row


def test_every_fault_has_its_row() -> None:
    shown = [row["fault"] for row in DOCUMENT["rows"] if row["tier"] == rows.TIER]
    handlers = {row["fault"] for row in DOCUMENT["rows"] if row["tier"] == "handlers"}

    assert shown == list(NAMES)
    assert {"poison message", "clock skew", "Lambda killed mid-batch", "S3 refused: replay"} <= handlers
