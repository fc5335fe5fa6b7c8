"""The verdict on a window: every test of every feature, adjusted together, and what of it is large enough to matter."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from . import categorical, numeric
from .columns import Column
from .distributions import kolmogorov_smirnov_p
from .faults import worse_share_p
from .multiple import holm
from .profile import Baseline, Profile

PREDICTION = "prediction"
LEAST_EFFECTIVE_ROWS = 8.0
"""Below, a window says too little about a distribution, and only its shares of bad rows are tested."""


@dataclass(frozen=True, kw_only=True)
class Rules:
    """When a window has drifted.

    Parameters
    ----------
    false_alarm_rate
        Most probable share of windows without change that are called drifted.
    minimum_rows
        Rows below which a window is not judged.
    least_ks, least_psi, least_js, least_share
        Smallest effect that counts, however significant: Kolmogorov-Smirnov distance, population stability index,
        Jensen-Shannon distance, share of bad rows.
    """

    false_alarm_rate: float = 0.01
    minimum_rows: int = 100
    least_ks: float = 0.1
    least_psi: float = 0.1
    least_js: float = 0.1
    least_share: float = 0.01


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One test of one feature; ``p_value`` is the adjusted one once the verdict is made."""

    feature: str
    check: str
    statistic: str
    value: float
    limit: float
    p_value: float


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What became of a window.

    Parameters
    ----------
    rows
        Rows of the window.
    judged
        Whether they were enough.
    tests
        All tests, with adjusted p-values.
    violations
        The tests that are significant and large.
    too_short
        Features whose distribution was not tested: too few effective rows.
    """

    rows: int
    judged: bool
    tests: tuple[Finding, ...]
    violations: tuple[Finding, ...]
    too_short: tuple[str, ...]

    @property
    def drifted(self) -> bool:
        """Whether anything was violated."""
        return bool(self.violations)


def judge(baseline: Baseline, window: Mapping[str, Column], rules: Rules) -> Verdict:
    """Finding every column that baseline and window share; ``prediction`` names the model's answers.

    A test is violated when its p-value, adjusted over all tests of the window, is at most the false-alarm rate *and*
    its statistic reaches the smallest effect that counts.
    """
    profiles = {**baseline.features, **({} if baseline.prediction is None else {PREDICTION: baseline.prediction})}
    pairs = {name: (profile, window[name]) for name, profile in profiles.items() if name in window}
    rows = max((column.rows for _, column in pairs.values()), default=0)
    if rows < rules.minimum_rows:
        return Verdict(rows=rows, judged=False, tests=(), violations=(), too_short=())
    raw = [test for name, pair in pairs.items() for test in _tests(name, *pair, rules)]
    adjusted = holm([test.p_value for test in raw])
    tests = tuple(replace(test, p_value=value) for test, value in zip(raw, adjusted, strict=True))
    return Verdict(
        rows=rows,
        judged=True,
        tests=tests,
        violations=tuple(t for t in tests if t.p_value <= rules.false_alarm_rate and t.value >= t.limit),
        too_short=tuple(name for name, pair in pairs.items() if _effective(*pair) < LEAST_EFFECTIVE_ROWS),
    )


def _valid(column: Column) -> int:
    return len(column.values) + len(column.categories)


def _effective(profile: Profile, column: Column) -> float:
    valid = _valid(column)
    return profile.dependence.effective(valid) if valid else 0.0


def _tests(name: str, profile: Profile, column: Column, rules: Rules) -> Iterator[Finding]:
    yield from _shares(name, profile, column, rules)
    if _effective(profile, column) < LEAST_EFFECTIVE_ROWS:
        return
    yield from (_numbers if profile.kind == "number" else _categories)(name, profile, column, rules)


def _shares(name: str, profile: Profile, column: Column, rules: Rules) -> Iterator[Finding]:
    worth = profile.dependence.effective(column.rows) / column.rows
    base = profile.effective / max(1, profile.count - profile.missing - profile.bad)

    def test(check: str, bad: int, before: int, times: int = 1, of: int | None = None) -> Finding:
        p = worse_share_p(bad, column.rows, before, profile.count, worth=worth, base=base)
        share = (bad if of is None else of) / column.rows
        limit = max(rules.least_share, before / profile.count)
        return Finding(
            feature=name, check=check, statistic="share", value=share, limit=limit, p_value=min(1.0, times * p)
        )

    yield test("completeness", column.missing, profile.missing)
    if profile.kind == "number":
        yield test("type", column.bad, profile.bad)
        sides = [int(np.sum(column.values < profile.min)), int(np.sum(column.values > profile.max))]
        yield test("range", max(sides), 0, times=2, of=sum(sides))
    else:
        unseen = sum(count for word, count in column.counts.items() if word not in profile.categories)
        yield test("range", unseen, 0)


def _numbers(name: str, profile: Profile, column: Column, rules: Rules) -> Iterator[Finding]:
    sample, rows = np.array(profile.sample), _effective(profile, column)
    distance = numeric.kolmogorov_smirnov(sample, column.values)
    p = kolmogorov_smirnov_p(distance, profile.effective, rows)
    yield Finding(feature=name, check="distribution", statistic="ks", value=distance, limit=rules.least_ks, p_value=p)
    index = numeric.stability(sample, column.values)
    p = numeric.stability_p(sample, column.values, profile.effective, rows)
    yield Finding(feature=name, check="stability", statistic="psi", value=index, limit=rules.least_psi, p_value=p)


def _categories(name: str, profile: Profile, column: Column, rules: Rules) -> Iterator[Finding]:
    rows = _effective(profile, column)
    distance = categorical.category_distance(profile.categories, column.counts)
    p = categorical.category_p(profile.categories, column.counts, profile.effective, rows)
    yield Finding(feature=name, check="distribution", statistic="js", value=distance, limit=rules.least_js, p_value=p)
