"""Threat model: each threat names a test or a rule that shows the mitigation, and each of those exists."""

from __future__ import annotations

import re

import pytest

from cdk_ml_lens.review.rules import every_rule
from tests.contract.pages import ROOT, section

TESTS = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
RULES = re.compile(r"`(MlLens-[A-Z]+\d+)`")
PAGE = (ROOT / "docs" / "threat-model.md").read_text(encoding="utf-8")


def rows(title: str) -> list[list[str]]:
    """Return the cells of the table rows of a section, heads and rules left out."""
    lines = [line for line in section("threat-model", title).splitlines() if re.match(r"\| [STRIDE] \|", line)]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


@pytest.mark.parametrize(("file", "name"), sorted(set(TESTS.findall(PAGE))))
def test_every_test_that_is_named_exists(file: str, name: str) -> None:
    source = (ROOT / file).read_text(encoding="utf-8")
    assert re.search(rf"^def {name}\(", source, re.MULTILINE)


def test_every_rule_that_is_named_exists() -> None:
    assert set(RULES.findall(PAGE)) - {rule.name() for rule in every_rule()} == set()


def test_every_threat_names_what_shows_its_mitigation() -> None:
    threats = rows("Threats")
    assert len(threats) > 20
    assert [cells for cells in threats if not TESTS.search(cells[-1]) and not RULES.search(cells[-1])] == []


def test_every_kind_of_threat_is_looked_at() -> None:
    assert {cells[0] for cells in rows("Threats")} == set("STRIDE")


def test_what_remains_says_what_to_do() -> None:
    assert [cells for cells in rows("What remains for you") if len(cells) != 3 or not all(cells)] == []
