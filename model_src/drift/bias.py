"""Bias: how answers and errors differ between the groups of a feature, tested with all comparisons in view."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from .distributions import fisher_p
from .ground_truth import Labelled
from .multiple import holm
from .window import cells_of

LEAST_ROWS = 20
"""Rows below which a group is not compared."""


@dataclass(frozen=True, kw_only=True)
class Disparity:
    """One group against all others.

    Parameters
    ----------
    group
        Value of the feature.
    metric
        ``positive_rate`` (its difference is DPPL, Clarify's name, and its ratio DI), ``recall`` or
        ``false_positive_rate``.
    value, others
        Of the group, and of all other rows.
    rows
        Rows of the group that the share is of.
    p_value
        Fisher's exact test, two-sided, adjusted over all comparisons.
    """

    group: str
    metric: str
    value: float
    others: float
    rows: int
    p_value: float

    @property
    def difference(self) -> float:
        """Share of the group minus share of the others."""
        return self.value - self.others


_METRICS: Mapping[str, Callable[[Labelled], bool]] = {
    "positive_rate": lambda _: True,
    "recall": lambda pair: pair.label == 1,
    "false_positive_rate": lambda pair: pair.label == 0,
}


def disparities(pairs: Sequence[Labelled], *, feature: str, names: Sequence[str]) -> list[Disparity]:
    """Compare every group of a feature with the others; answers and labels are 0 or 1.

    Parameters
    ----------
    pairs
        Answers with their labels.
    feature
        Whose values are the groups.
    names
        Inputs of the model, in order.

    Notes
    -----
    Source of the metrics: https://docs.aws.amazon.com/sagemaker/latest/dg/clarify-measure-post-training-bias.html
    """
    groups: dict[str, list[Labelled]] = {}
    for pair in pairs:
        groups.setdefault(str(cells_of(pair.row, names)[feature]), []).append(pair)
    raw = []
    for group, members in sorted(groups.items()):
        others = [pair for other, found in groups.items() if other != group for pair in found]
        raw += [found for metric in _METRICS if (found := _compare(group, metric, members, others)) is not None]
    adjusted = holm([found.p_value for found in raw])
    return [replace(found, p_value=value) for found, value in zip(raw, adjusted, strict=True)]


def _compare(group: str, metric: str, members: Sequence[Labelled], others: Sequence[Labelled]) -> Disparity | None:
    counted = _METRICS[metric]
    mine, theirs = ([pair.answer == 1 for pair in side if counted(pair)] for side in (members, others))
    if min(len(mine), len(theirs)) < LEAST_ROWS:
        return None
    return Disparity(
        group=group,
        metric=metric,
        value=sum(mine) / len(mine),
        others=sum(theirs) / len(theirs),
        rows=len(mine),
        p_value=fisher_p(sum(mine), len(mine), sum(theirs), len(theirs)),
    )
