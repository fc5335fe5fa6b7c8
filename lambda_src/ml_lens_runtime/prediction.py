"""One prediction: the line of the log and the body of an alert."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any

from ml_lens_runtime import strict_json

ALERT_BYTES = 120_000  # below IoT's 128 KiB per message, the smallest limit of the actions


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """One scored reading.

    Attributes
    ----------
    received_at : int
        Milliseconds since the epoch, by the rule.
    scored_at : str
        ISO 8601, UTC.
    reading : dict
        The device's object as decoded.
    features : dict
        The values that went to the model, in its order.
    latency_ms : float
        Of the endpoint call that scored it.
    """

    prediction_id: str
    device_id: str
    reading_id: str | None
    received_at: int
    scored_at: str
    reading: dict[str, Any] | None
    features: dict[str, float]
    score: float
    threshold: float
    anomaly: bool
    endpoint: str
    variant: str
    model_version: str
    latency_ms: float

    @classmethod
    def restore(cls, text: str) -> Prediction:
        """Read back what `line` wrote."""
        return cls(**json.loads(text))

    def record(self) -> dict[str, Any]:
        """Return the fields in order, by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def line(self) -> str:
        """Return the JSON of the log, without a newline."""
        return strict_json.dumps(self.record())

    def alert(self) -> str:
        """Return the JSON of an alert; a reading too large for a message is left to the log."""
        head = {"type": "anomaly", "alert_id": self.prediction_id}
        text = strict_json.dumps({**head, **self.record()})
        if len(text) <= ALERT_BYTES:
            return text
        return strict_json.dumps({**head, **self.record(), "reading": None, "reading_omitted": True})


def iso(seconds: float) -> str:
    """Return seconds since the epoch as ISO 8601 with milliseconds and Z."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
