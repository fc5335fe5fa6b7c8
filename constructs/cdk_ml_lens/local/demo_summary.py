"""The demo's result: one flat record of figures, and what in it makes the demo fail."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from cdk_ml_lens.local.demo_accounts import Accounts

RECALL = 0.9
"""Share of injected failures that must be found."""


@dataclass(frozen=True, kw_only=True)
class WindowResult:
    """One labelled window.

    Parameters
    ----------
    label
        Its name.
    readings, anomalies
        Scored readings inside, and those above the threshold.
    expected
        Anomalies that so many readings outside all windows have on average: a long window is always "hit" when
        false alarms are frequent, so compare. ``None`` when nothing was scored outside.
    """

    label: str
    readings: int
    anomalies: int
    expected: float | None


@dataclass(frozen=True, kw_only=True)
class Summary:
    """Figures of one run.

    Parameters
    ----------
    sent, resent
        Distinct messages, and publications that repeated one.
    scored, quarantined, lost
        Messages with a prediction record, in the dead-letter queue, and in neither.
    misfiled, unknown
        Messages that ended in the wrong place or for the wrong reason; records of messages that nobody sent.
    duplicates
        Second prediction records and second dead letters of one message.
    anomalies, anomalies_outside_windows, readings_outside_windows
        Readings above the threshold; those in no labelled window; all scored readings in no window.
    windows_hit, windows_total, windows
        Labelled windows with an anomaly inside, of how many, and each of them.
    alerts, alerts_missing, stray_alerts, repeated_alerts
        Alerts on the devices' own command topics: distinct, not arrived, at the wrong device, more than once.
    p50_ms, p99_ms
        From publishing a reading to its alert at the device; ``None`` without alerts.
    reasons
        Quarantined messages by reason.
    """

    mode: str
    title: str
    devices: int
    model_version: str | None
    training_rows: int
    sent: int
    resent: int
    scored: int
    quarantined: int
    lost: int
    misfiled: int
    unknown: int
    duplicates: int
    anomalies: int
    anomalies_outside_windows: int
    readings_outside_windows: int
    windows_hit: int
    windows_total: int
    windows: Sequence[WindowResult]
    alerts: int
    alerts_missing: int
    stray_alerts: int
    repeated_alerts: int
    p50_ms: float | None
    p99_ms: float | None
    reasons: dict[str, int]

    @property
    def faults(self) -> list[str]:
        """Return why the demo failed; nothing when it did not."""
        missed = self.mode == "simulated" and self.windows_hit < RECALL * self.windows_total
        found = [
            (self.lost > 0, f"{self.lost} messages are unaccounted for"),
            (self.misfiled > 0, f"{self.misfiled} messages ended in the wrong place or for the wrong reason"),
            (self.unknown > 0, f"{self.unknown} records belong to no message that was sent"),
            (missed, f"only {self.windows_hit} of {self.windows_total} injected failures were found"),
            (self.alerts == 0, "no alert arrived on a device's own command topic"),
            (self.alerts_missing > 0, f"{self.alerts_missing} alerts did not arrive at their device"),
            (self.stray_alerts > 0, f"{self.stray_alerts} alerts arrived at the wrong device"),
        ]
        return [text for failed, text in found if failed]


def summarise(accounts: Accounts) -> Summary:
    """Draw the balance of a run."""
    plan, anomalies, scored = accounts.plan, accounts.anomalies, accounts.predictions.keys()
    inside = frozenset[str]().union(*(window.keys for window in plan.windows))
    outside = len(scored - inside)
    rate = len(anomalies - inside) / outside if outside else None
    windows = [
        _window(window.label, len(window.keys & scored), len(window.keys & anomalies), rate) for window in plan.windows
    ]
    milliseconds = sorted(1000 * seconds for seconds in accounts.latencies.values())
    versions = sorted({prediction.model_version for prediction in accounts.predictions.values()})
    return Summary(
        mode=plan.mode,
        title=plan.title,
        devices=len(plan.devices),
        model_version=", ".join(versions) if versions else None,
        training_rows=plan.rows,
        sent=len(accounts.published),
        resent=accounts.publications - len(accounts.published),
        scored=len(scored),
        quarantined=len(accounts.dead),
        lost=len(accounts.lost),
        misfiled=len(accounts.misfiled),
        unknown=accounts.unknown,
        duplicates=accounts.duplicates,
        anomalies=len(anomalies),
        anomalies_outside_windows=len(anomalies - inside),
        readings_outside_windows=outside,
        windows_hit=sum(window.anomalies > 0 for window in windows),
        windows_total=len(windows),
        windows=windows,
        alerts=len(accounts.latencies),
        alerts_missing=len(anomalies - accounts.latencies.keys()),
        stray_alerts=accounts.stray_alerts,
        repeated_alerts=accounts.repeated_alerts,
        p50_ms=percentile(milliseconds, 0.5),
        p99_ms=percentile(milliseconds, 0.99),
        reasons=accounts.reasons,
    )


def _window(label: str, readings: int, anomalies: int, rate: float | None) -> WindowResult:
    expected = None if rate is None else round(readings * rate, 1)
    return WindowResult(label=label, readings=readings, anomalies=anomalies, expected=expected)


def percentile(ordered: Sequence[float], share: float) -> float | None:
    """Return the smallest value that at least ``share`` of the ordered values do not exceed."""
    return round(ordered[max(0, math.ceil(share * len(ordered)) - 1)], 1) if ordered else None
