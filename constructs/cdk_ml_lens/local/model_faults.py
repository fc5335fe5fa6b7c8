"""Faults of a model server for tests and demonstrations: errors, delays, wrong answers; the real one has none."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

ERROR_RATE = "ML_LENS_FAULT_ERROR_RATE"
LATENCY_MS = "ML_LENS_FAULT_LATENCY_MS"
WRONG_RATE = "ML_LENS_FAULT_WRONG_RATE"
_NUMBER = re.compile(rb'(?<![\w."+-])-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w."])')


@dataclass(frozen=True, kw_only=True)
class Faults:
    """What goes wrong, and how often. Without settings nothing does.

    Parameters
    ----------
    error_rate : float
        Share of requests that get a 500, 0 to 1. Default: 0.
    latency_ms : float
        Added to every answer, in ms. Default: 0.
    wrong_rate : float
        Share of answers whose numbers are wrong, 0 to 1. Default: 0.
    """

    error_rate: float = 0.0
    latency_ms: float = 0.0
    wrong_rate: float = 0.0
    _dice: random.Random = field(default_factory=lambda: random.Random(0))  # each run has the same sequence

    def __post_init__(self) -> None:
        for name, rate in ((ERROR_RATE, self.error_rate), (WRONG_RATE, self.wrong_rate)):
            if not 0 <= rate <= 1:
                raise ValueError(f"{name} must be between 0 and 1, got {rate}")
        if self.latency_ms < 0:
            raise ValueError(f"{LATENCY_MS} must be at least 0, got {self.latency_ms}")

    @staticmethod
    def from_environment(environment: Mapping[str, str]) -> Faults:
        """Read the three variables ``ML_LENS_FAULT_…``; an absent one is no fault."""
        error, latency, wrong = (float(environment.get(name, "0")) for name in (ERROR_RATE, LATENCY_MS, WRONG_RATE))
        return Faults(error_rate=error, latency_ms=latency, wrong_rate=wrong)

    def fails(self) -> bool:
        """Wait as long as the latency says, then tell whether this request gets an error."""
        if self.latency_ms > 0:
            time.sleep(self.latency_ms / 1000)
        return self._dice.random() < self.error_rate

    def spoiled(self, body: bytes) -> bytes:
        """Return the answer, or one whose numbers ``x`` have become ``-x - 1000``; quoted ones stay."""
        if self._dice.random() >= self.wrong_rate:
            return body
        return _NUMBER.sub(lambda found: str(-float(found.group()) - 1000).encode(), body)
