"""The rules, one per file; each file exports ``RULE``."""

from __future__ import annotations

import re
from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from cdk_ml_lens.review.rule import Rule


@cache
def every_rule() -> tuple[Rule, ...]:
    """Return all rules, sorted by id: ``SM2`` before ``SM10``."""
    rules = [import_module(f"{__name__}.{module.name}").RULE for module in iter_modules(__path__)]
    return tuple(sorted(rules, key=lambda rule: _order(rule.id)))


def _order(rule_id: str) -> tuple[str, int]:
    found = re.fullmatch(r"([A-Z]+)(\d+)", rule_id)
    if found is None:
        raise ValueError(f"a rule id must be letters and a number, got {rule_id!r}")
    return found[1], int(found[2])
