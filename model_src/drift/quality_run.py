"""The command ``quality``: labels joined to a window's answers, bounds and groups judged, report and metrics."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from . import report
from .bias import Disparity, disparities
from .captures import Row, read_captures
from .ground_truth import Labelled, merge, read_labels
from .judge import Rules
from .profile import BaselineError, read_baseline
from .quality import Bound, Measured, broken, is_binary, measure_quality

NAMESPACE = "CdkMlLens/Quality"


@dataclass(frozen=True, kw_only=True)
class QualityRules:
    """When the answers of a window are too bad, or too different between groups.

    Parameters
    ----------
    bounds
        What metrics must keep to.
    group
        Feature whose values are compared, if any.
    least_difference
        Smallest difference between a group and the others that counts.
    false_alarm_rate
        Most probable share of windows that are called bad although every bound holds and groups are equal.
    minimum_rows
        Labelled rows below which a window is not judged.
    """

    bounds: Sequence[Bound] = ()
    group: str | None = None
    least_difference: float = 0.1
    false_alarm_rate: float = 0.01
    minimum_rows: int = 100

    @property
    def share(self) -> float:
        """Part of the false-alarm rate that each bound has, and all groups together (Bonferroni)."""
        return self.false_alarm_rate / max(1, len(self.bounds) + (self.group is not None))


@dataclass(frozen=True, kw_only=True)
class Quality:
    """What the labels of a window say."""

    rows: int
    labelled: int
    judged: bool
    measured: Sequence[Measured] = ()
    violations: Sequence[tuple[Bound, Measured]] = ()
    groups: Sequence[Disparity] = ()
    unequal: Sequence[Disparity] = field(default_factory=tuple)

    @property
    def violated(self) -> bool:
        """Whether a bound is broken or a group is treated differently."""
        return bool(self.violations) or bool(self.unequal)


def judge_quality(rows: int, pairs: Sequence[Labelled], names: Sequence[str], rules: QualityRules) -> Quality:
    """Judge labelled answers.

    Raises
    ------
    BaselineError
        When groups are to be compared and answers or labels are not 0 or 1.
    """
    if len(pairs) < rules.minimum_rows:
        return Quality(rows=rows, labelled=len(pairs), judged=False)
    measured = measure_quality(pairs, confidence=1 - 2 * rules.share)
    groups: list[Disparity] = []
    if rules.group is not None:
        if not is_binary(pairs) or rules.group not in names:
            raise BaselineError(f"groups of {rules.group} take that feature, and answers and labels of 0 and 1")
        groups = disparities(pairs, feature=rules.group, names=names)
    return Quality(
        rows=rows,
        labelled=len(pairs),
        judged=True,
        measured=measured,
        violations=broken(measured, rules.bounds),
        groups=groups,
        unequal=[one for one in groups if one.p_value <= rules.share and abs(one.difference) >= rules.least_difference],
    )


def window_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that every judgement of a window takes."""
    defaults = Rules()
    parser.add_argument("--captures", type=Path, required=True)
    parser.add_argument("--baseline", type=Path, required=True, help="folder of baseline.json")
    parser.add_argument("--monitor", required=True)
    parser.add_argument("--start", required=True)
    parser.add_argument("--end", required=True)
    parser.add_argument("--false-alarm-rate", type=float, default=defaults.false_alarm_rate)
    parser.add_argument("--minimum-rows", type=int, default=defaults.minimum_rows)


def quality_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``quality``."""
    window_arguments(parser)
    parser.add_argument("--labels", type=Path, required=True, help="folder of ground truth records")
    parser.add_argument("--bound", type=_bound, action="append", default=[], help="metric:at_least|at_most:number")
    parser.add_argument("--group", help="feature whose values are compared")
    parser.add_argument("--least-difference", type=float, default=QualityRules().least_difference)


def _bound(text: str) -> Bound:
    metric, _, rest = text.partition(":")
    direction, _, number = rest.partition(":")
    if direction not in ("at_least", "at_most"):
        raise argparse.ArgumentTypeError(f"must be metric:at_least|at_most:number, got {text!r}")
    return Bound(metric=metric, bound=float(number), direction="at_least" if direction == "at_least" else "at_most")


def run_quality(options: argparse.Namespace) -> None:
    """Write quality.json and metrics.json."""
    rules = QualityRules(
        bounds=options.bound,
        group=options.group,
        least_difference=options.least_difference,
        false_alarm_rate=options.false_alarm_rate,
        minimum_rows=options.minimum_rows,
    )
    rows: list[Row] = read_captures(options.captures, answer_field=options.answer_field)
    names = list(read_baseline(options.baseline / "baseline.json").features)
    found = judge_quality(len(rows), merge(rows, read_labels(options.labels)), names, rules)
    span = report.Span(monitor=options.monitor, start=options.start, end=options.end)
    report.write(options.output / "report.json", _document(span, found, rules))
    report.write(options.output / "metrics.json", _metrics(span, found))
    print(f"window {span.start} to {span.end}: {found.labelled} of {found.rows} rows are labelled")


def _document(span: report.Span, found: Quality, rules: QualityRules) -> dict[str, Any]:
    return {
        "monitor": span.monitor,
        "window": {"start": span.start, "end": span.end},
        "rows": found.rows,
        "labelled": found.labelled,
        "judged": found.judged,
        "violated": found.violated,
        "metrics": [asdict(one) for one in found.measured],
        "violations": [{**asdict(bound), **asdict(measured)} for bound, measured in found.violations],
        "groups": [{**asdict(one), "difference": one.difference} for one in found.groups],
        "unequal": [{"group": one.group, "metric": one.metric} for one in found.unequal],
        "false_alarm_rate": rules.false_alarm_rate,
    }


def _metrics(span: report.Span, found: Quality) -> dict[str, Any]:
    """Return the input of PutMetricData; ``QualityViolated`` is left out of a window that was not judged."""
    numbers: dict[str, float] = {"Rows": found.rows, "LabelledRows": found.labelled}
    if found.judged:
        numbers["QualityViolated"] = float(found.violated)
    named = {"".join(part.capitalize() for part in one.metric.split("_")): one.value for one in found.measured}
    return report.put_metric_data(span, {**numbers, **named}, namespace=NAMESPACE)
