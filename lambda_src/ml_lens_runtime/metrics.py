"""Counts of one invocation, printed as one CloudWatch embedded-metric line (no API call, no dependency)."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field

NAMESPACE = "CdkMlLens/Scoring"
COUNTS = (
    "ReadingsReceived",
    "ReadingsScored",
    "ReadingsQuarantined",
    "ReadingsReturned",
    "Duplicates",
    "Anomalies",
    "EndpointCalls",
)
LATENCY = "EndpointLatencyMs"
_VALUES = 100  # values of one metric in one line, the limit of the format


@dataclass(slots=True)
class Meter:
    """Counts by name, and the latency of each endpoint call in milliseconds."""

    counts: Counter[str] = field(default_factory=Counter)
    latencies: list[float] = field(default_factory=list)

    def add(self, name: str, amount: int = 1) -> None:
        """Count."""
        self.counts[name] += amount

    def called(self, milliseconds: float) -> None:
        """Count one endpoint call with its latency."""
        self.counts["EndpointCalls"] += 1
        self.latencies.append(round(milliseconds, 3))


def lines(meter: Meter, *, rule: str, now: float) -> list[str]:
    """Return the lines to print; more than one only beyond 100 endpoint calls.

    Parameters
    ----------
    meter : Meter
        The counts.
    rule : str
        Value of the only dimension, `Rule`.
    now : float
        Seconds since the epoch.
    """
    first: dict[str, object] = {name: meter.counts[name] for name in COUNTS}
    parts = [meter.latencies[i : i + _VALUES] for i in range(0, len(meter.latencies), _VALUES)]
    bodies = [first, *({} for _ in parts[1:])]
    for body, part in zip(bodies, parts, strict=False):
        body[LATENCY] = part
    return [_line(body, rule=rule, now=now) for body in bodies]


def _line(body: dict[str, object], *, rule: str, now: float) -> str:
    units = [{"Name": name, "Unit": "Milliseconds" if name == LATENCY else "Count"} for name in body]
    directive = {"Namespace": NAMESPACE, "Dimensions": [["Rule"]], "Metrics": units}
    root = {"Timestamp": int(now * 1000), "CloudWatchMetrics": [directive]}
    return json.dumps({"_aws": root, "Rule": rule, **body})
