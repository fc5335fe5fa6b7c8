"""Counts of the A/B test's handlers, as one CloudWatch embedded-metric line."""

from __future__ import annotations

import json
from collections.abc import Mapping

NAMESPACE = "CdkMlLens/AbTest"


def line(values: Mapping[str, float], *, test: str, now: float) -> str:
    """Return the line to print, dimension `Test`.

    Parameters
    ----------
    values : mapping of str to float
        Metric name to value; without unit.
    test : str
        Value of the dimension.
    now : float
        Seconds since the epoch.
    """
    metrics = [{"Name": name, "Unit": "None"} for name in values]
    directive = {"Namespace": NAMESPACE, "Dimensions": [["Test"]], "Metrics": metrics}
    return json.dumps(
        {"_aws": {"Timestamp": int(now * 1000), "CloudWatchMetrics": [directive]}, "Test": test, **values}
    )
