"""The table of rules in docs/rules.md: ``python -m cdk_ml_lens.review.rule_table`` prints it."""

from __future__ import annotations

from cdk_ml_lens.review.rule import Rule
from cdk_ml_lens.review.rules import every_rule

_HEAD = "| Rule | What holds | Severity | Best practices | Fix |\n| --- | --- | --- | --- | --- |"


def table() -> str:
    """Return one row per rule, sorted by id; the rule links to its source."""
    return "\n".join((_HEAD, *(_row(rule) for rule in every_rule())))


def _row(rule: Rule) -> str:
    cells = (f"[{rule.id}]({rule.source})", rule.title, rule.severity.value, ", ".join(rule.practices), rule.fix)
    return f"| {' | '.join(_plain(cell) for cell in cells)} |"


def _plain(cell: str) -> str:
    return cell.replace("<", "&lt;").replace("|", "&#124;")


if __name__ == "__main__":
    print(table())
