"""What a run leaves: report.json for people and events, metrics.json as the call that CloudWatch takes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from . import numeric
from .columns import Column
from .judge import Finding, Rules, Verdict
from .profile import Baseline, Profile

NAMESPACE = "CdkMlLens/Drift"


@dataclass(frozen=True, kw_only=True)
class Span:
    """What a run looked at: monitor, and start and end of the window in ISO 8601 (UTC)."""

    monitor: str
    start: str
    end: str


def document(
    span: Span, baseline: Baseline, window: Mapping[str, Column], verdict: Verdict, rules: Rules
) -> dict[str, Any]:
    """Return the report."""
    return {
        "monitor": span.monitor,
        "window": {"start": span.start, "end": span.end},
        "baseline": {
            "version": baseline.version,
            "made_from": baseline.made_from,
            "without_answers": baseline.without_answers,
        },
        "rows": verdict.rows,
        "judged": verdict.judged,
        "drifted": verdict.drifted,
        "violations": [asdict(finding) for finding in verdict.violations],
        "false_alarm_rate": rules.false_alarm_rate,
        "tests": len(verdict.tests),
        "too_short": list(verdict.too_short),
        "features": {name: _feature(name, baseline, window, verdict.tests) for name in window},
    }


def _feature(
    name: str, baseline: Baseline, window: Mapping[str, Column], findings: Sequence[Finding]
) -> dict[str, Any]:
    column = window[name]
    profile = baseline.features.get(name, baseline.prediction)
    own = [finding for finding in findings if finding.feature == name]
    statistics = {f"{f.check}_{f.statistic}": {"value": f.value, "p_value": f.p_value} for f in own}
    return {
        "rows": column.rows,
        "missing": column.missing,
        "bad": column.bad,
        **_moments(column, profile),
        **statistics,
    }


def _moments(column: Column, profile: Profile | None) -> dict[str, float]:
    if profile is None or not len(column.values):
        return {}
    return {
        "mean": float(column.values.mean()),
        "std": float(column.values.std()),
        "baseline_mean": profile.mean,
        "baseline_std": profile.std,
        "wasserstein": numeric.distance_in_deviations(np.array(profile.sample), column.values, profile.std),
    }


def put_metric_data(span: Span, numbers: Mapping[str, float], *, namespace: str) -> dict[str, Any]:
    """Return the input of CloudWatch's PutMetricData for metrics of the window, by name."""
    dimensions = [{"Name": "Monitor", "Value": span.monitor}]
    data = [_datum(name, value, dimensions) for name, value in numbers.items()]
    return {"Namespace": namespace, "MetricData": data}


def metrics(span: Span, verdict: Verdict) -> dict[str, Any]:
    """Return the metrics of a window and of its features, as the input of CloudWatch's PutMetricData.

    ``DriftDetected`` is left out of a window that was not judged: no data point is not a 0.
    """
    numbers: dict[str, float] = {"Rows": verdict.rows}
    if verdict.judged:
        numbers |= {"DriftDetected": float(verdict.drifted), "Violations": len(verdict.violations)}
    made = put_metric_data(span, numbers, namespace=NAMESPACE)
    for finding in verdict.tests:
        if finding.statistic in ("psi", "js"):
            by_feature = [{"Name": "Monitor", "Value": span.monitor}, {"Name": "Feature", "Value": finding.feature}]
            made["MetricData"].append(_datum(finding.statistic.upper(), finding.value, by_feature))
    return made


def _datum(name: str, value: float, dimensions: list[dict[str, str]]) -> dict[str, Any]:
    return {"MetricName": name, "Value": value, "Unit": "None", "Dimensions": dimensions}


def write(path: Path, content: Mapping[str, Any]) -> None:
    """Write a document; a number that is not finite is an error, since JSON has none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=2, allow_nan=False) + "\n", encoding="utf-8")
