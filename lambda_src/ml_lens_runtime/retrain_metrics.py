"""Counts of retraining's handler, as one CloudWatch embedded-metric line."""

from __future__ import annotations

import json
from collections.abc import Mapping

NAMESPACE = "CdkMlLens/Retraining"


def line(values: Mapping[str, float], *, name: str, now: float) -> str:
    """Return the line to print, dimension `Retraining`.

    Parameters
    ----------
    values : mapping of str to float
        Metric name to value; without unit.
    name : str
        Value of the dimension.
    now : float
        Seconds since the epoch.
    """
    metrics = [{"Name": metric, "Unit": "None"} for metric in values]
    directive = {"Namespace": NAMESPACE, "Dimensions": [["Retraining"]], "Metrics": metrics}
    return json.dumps(
        {"_aws": {"Timestamp": int(now * 1000), "CloudWatchMetrics": [directive]}, "Retraining": name, **values}
    )
