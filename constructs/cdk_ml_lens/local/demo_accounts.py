"""The demo's accounts: what became of every message, from what the cloud stored and what the devices received."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from cdk_ml_lens.local.demo_plan import Outgoing, Plan


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """What the demo needs of one prediction record."""

    key: str
    anomaly: bool
    model_version: str


@dataclass(frozen=True, kw_only=True)
class DeadLetter:
    """One message of the dead-letter queue."""

    device_id: str
    body: bytes
    reason: str


class Accounts:
    """Counts every message once; safe to use from several threads.

    Parameters
    ----------
    plan
        What is streamed.
    clock
        Seconds that never go back, default `time.monotonic`.
    """

    def __init__(self, plan: Plan, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._lock = threading.Lock()
        self._clock = clock
        self._names = {(message.device_id, message.body): message.key for message in plan.outgoing}
        self.plan = plan
        self.published: dict[str, float] = {}
        self.expected: dict[str, str | None] = {}
        self.publications = 0
        self.acknowledged = 0
        self.predictions: dict[str, Prediction] = {}
        self.dead: dict[str, str] = {}
        self.unknown = 0
        self.duplicates = 0
        self.latencies: dict[str, float] = {}
        self.repeated_alerts = 0
        self.stray_alerts = 0
        self.changed_at = clock()

    def publishing(self, message: Outgoing) -> None:
        """Note that a device is about to publish a message."""
        with self._lock:
            self.publications += 1
            self.published.setdefault(message.key, self._clock())
            self.expected[message.key] = message.reason

    def acknowledge(self) -> None:
        """Note that the broker has acknowledged one publication."""
        with self._lock:
            self.acknowledged += 1
            self._changed()

    def predicted(self, prediction: Prediction) -> None:
        """Note a record of the prediction log."""
        with self._lock:
            self._changed()
            if prediction.key not in self.published:
                self.unknown += 1
            elif prediction.key in self.predictions:
                self.duplicates += 1
            else:
                self.predictions[prediction.key] = prediction

    def died(self, letter: DeadLetter) -> None:
        """Note a message of the dead-letter queue; it is found by its bytes, since it may have no id."""
        with self._lock:
            self._changed()
            key = self._names.get((letter.device_id, letter.body))
            if key is None:
                self.unknown += 1
            elif key in self.dead:
                self.duplicates += 1
            else:
                self.dead[key] = letter.reason

    def alerted(self, *, receiver: str, device_id: str, key: str) -> None:
        """Note that a device received an alert on its own command topic."""
        with self._lock:
            self._changed()
            if receiver != device_id or key not in self.published:
                self.stray_alerts += 1
            elif key in self.latencies:
                self.repeated_alerts += 1
            else:
                self.latencies[key] = self._clock() - self.published[key]

    @property
    def anomalies(self) -> set[str]:
        """Return the keys of the readings that were predicted to be anomalies."""
        return {key for key, prediction in list(self.predictions.items()) if prediction.anomaly}

    @property
    def waiting(self) -> int:
        """Return how many publications the broker has not acknowledged."""
        return self.publications - self.acknowledged

    @property
    def lost(self) -> set[str]:
        """Return the keys of messages that were neither scored nor quarantined, so far."""
        with self._lock:
            return self.published.keys() - self.predictions.keys() - self.dead.keys()

    @property
    def misfiled(self) -> set[str]:
        """Return the keys of messages that ended elsewhere than they had to, or for another reason, or twice."""
        both = self.predictions.keys() & self.dead.keys()
        wrong = {key for key, reason in self.dead.items() if self.expected.get(key) != reason}
        return both | wrong | {key for key in self.predictions if self.expected.get(key) is not None}

    @property
    def settled(self) -> bool:
        """Tell whether every message is accounted for, and every anomaly's alert has reached its device."""
        return self.waiting == 0 and not self.lost and not self.anomalies - self.latencies.keys()

    @property
    def reasons(self) -> dict[str, int]:
        """Return how many messages were quarantined for which reason."""
        return dict(sorted(Counter(self.dead.values()).items()))

    @property
    def idle_seconds(self) -> float:
        """Return how long nothing has changed."""
        return self._clock() - self.changed_at

    def _changed(self) -> None:
        self.changed_at = self._clock()
