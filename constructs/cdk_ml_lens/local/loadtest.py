"""A load test of one endpoint: open-loop requests at rising rates, and the knee that sizes its autoscaling."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

Send = Callable[[], bool]
"""Sends one request and tells whether it was answered well."""

MAX_IN_FLIGHT = 64
MAX_RATE, MAX_SECONDS = 500.0, 60.0
MAX_WAITING = 4 * MAX_IN_FLIGHT
"""Requests that may be under way or due; with more, the rest of a rate is not sent and counts as failed."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What a rate must meet.

    Parameters
    ----------
    p99_ms : float
        Longest 99th percentile, in ms. Default: 200.
    errors : float
        Largest share of failed requests. Default: 0.001.
    """

    p99_ms: float = 200.0
    errors: float = 0.001


@dataclass(frozen=True, kw_only=True)
class Level:
    """What happened at one rate; latencies count from the moment a request was due, not from when it could start."""

    rate: float
    achieved: float
    requests: int
    failed: int
    p50_ms: float
    p99_ms: float

    def meets(self, limits: Limits) -> bool:
        """Tell whether the rate is within the limits."""
        return self.p99_ms <= limits.p99_ms and self.failed <= limits.errors * self.requests


@dataclass(frozen=True, kw_only=True)
class Clock:
    """The time that a test goes by; a fake one makes it exact."""

    now: Callable[[], float] = time.perf_counter
    sleep: Callable[[float], None] = time.sleep


def drive(
    send: Send, rates: Sequence[float], *, seconds: float, limits: Limits, clock: Clock | None = None
) -> list[Level]:
    """Drive rising rates and stop after the first that misses the limits.

    Parameters
    ----------
    send
        Sends one request.
    rates
        Requests per second, rising, at most 500.
    seconds
        Length of each level, at most 60, in seconds.
    limits
        What a rate must meet.
    clock
        Default: the real one.

    Raises
    ------
    ValueError
        When rates or seconds are out of bounds.
    """
    if not rates or list(rates) != sorted(set(rates)) or rates[0] <= 0 or rates[-1] > MAX_RATE:
        raise ValueError(f"rates must rise, between 0 and {MAX_RATE:g}, got {list(rates)}")
    if not 0 < seconds <= MAX_SECONDS:
        raise ValueError(f"seconds must be over 0 and at most {MAX_SECONDS:g}, got {seconds:g}")
    levels: list[Level] = []
    with ThreadPoolExecutor(MAX_IN_FLIGHT) as pool:
        for rate in rates:
            levels.append(_level(send, rate, seconds, pool, Clock() if clock is None else clock))
            if not levels[-1].meets(limits):
                break
    return levels


def knee(levels: Sequence[Level], limits: Limits) -> Level | None:
    """Return the highest rate that met the limits."""
    good = [level for level in levels if level.meets(limits)]
    return good[-1] if good else None


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that at least ``share`` of all values do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def _level(send: Send, rate: float, seconds: float, pool: ThreadPoolExecutor, clock: Clock) -> Level:
    waits: list[float] = []
    failed = 0
    lock = threading.Lock()

    def one(due: float) -> None:
        nonlocal failed
        good = send()
        waited = clock.now() - due
        with lock:
            waits.append(waited)
            failed += not good

    start = clock.now()
    count = max(1, round(rate * seconds))
    sent: list[Future[None]] = []
    for number in range(count):
        due = start + number / rate
        clock.sleep(max(0.0, due - clock.now()))
        if len(sent) - len(waits) > MAX_WAITING:
            break
        sent.append(pool.submit(one, due))
    for request in sent:
        request.result()
    return Level(
        rate=rate,
        achieved=len(sent) / max(1e-9, clock.now() - start),
        requests=count,
        failed=failed + count - len(sent),
        p50_ms=percentile(waits, 0.5) * 1000,
        p99_ms=percentile(waits, 0.99) * 1000,
    )
