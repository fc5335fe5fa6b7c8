"""The page of the security packs: its table of findings and props is that of the code and of the hardened cases."""

from __future__ import annotations

import inspect
import re

import pytest

from cdk_ml_lens import harden
from cdk_ml_lens.review.packs import DEFAULT_PACKS, PACKS, PACKS_OF
from tests.contract.pages import ROOT, section
from tests.unit.review.hardened import CASES

SHORT = {"HIPAA.Security": "HIPAA", "NIST.800.53.R5": "NIST", "PCI.DSS.321": "PCI"}


def rows(title: str) -> list[list[str]]:
    """Return the cells of the table below a heading, without its head."""
    lines = [line for line in section("security-packs", title).splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[2:]]


def test_table_has_every_explained_rule_with_its_packs() -> None:
    shown = {row[0].strip("`"): row[1].split(", ") for row in rows("Findings and props")}
    assert shown == {rule: [SHORT.get(pack, pack) for pack in packs] for rule, packs in PACKS_OF.items()}


@pytest.mark.parametrize("row", rows("Findings and props"), ids=lambda row: row[0])
def test_table_names_the_props_that_are_shown_to_close_a_finding(row: list[str]) -> None:
    proven = {case.prop for case in CASES if case.rule == row[0].strip("`")}
    if not proven:
        assert row[3].startswith("no prop: ")
    named = set(re.findall(r"`([^`]+)`", row[3])) if proven else set()
    assert named - {"on_…"} == proven


def test_table_of_packs_is_that_of_the_code() -> None:
    assert tuple(row[0].strip("`") for row in rows("What each pack looks at")) == PACKS
    text = section("security-packs", "What each pack looks at")
    assert all(f"`{pack}`" in text for pack in DEFAULT_PACKS)


def test_table_of_harden_has_each_of_its_props() -> None:
    shown = [row[0].strip("`") for row in rows("harden")]
    assert shown == list(inspect.signature(harden).parameters)[1:]


def test_page_is_on_the_map() -> None:
    assert "(security-packs.md)" in (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
