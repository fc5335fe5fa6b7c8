"""The page of rules is the code's: every rule, as it is."""

from __future__ import annotations

import re
from pathlib import Path

from cdk_ml_lens.review.rule_table import table
from cdk_ml_lens.review.rules import every_rule

PAGE = Path(__file__).resolve().parents[2] / "docs" / "rules.md"


def test_the_table_of_rules_is_up_to_date() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page[page.index("| Rule |") :].strip() == table(), "run python -m cdk_ml_lens.review.rule_table"


def test_every_rule_says_what_a_reviewer_needs() -> None:
    rules = every_rule()
    assert len(rules) >= 30
    for rule in rules:
        assert all((rule.title, rule.explanation, rule.fix, rule.practices)), rule.id
        assert rule.source.startswith(("https://docs.aws.amazon.com/", "https://aws.amazon.com/")), rule.id
        assert all(re.fullmatch(r"ML(OPS|SEC|REL|PERF|COST|SUS)0[1-6]-BP\d\d", one) for one in rule.practices), rule.id


def test_ids_are_unique_and_sorted() -> None:
    ids = [rule.id for rule in every_rule()]
    assert len(set(ids)) == len(ids)
    assert ids.index("SM2") < ids.index("SM10")
