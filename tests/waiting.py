"""Waits for what a server, a job or a queue does in its own time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any


def until(probe: Callable[[], Any], *, seconds: float = 15.0) -> Any:
    """Return the first true value of ``probe``; fail after ``seconds``."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if value := probe():
            return value
        time.sleep(0.1)
    raise AssertionError(f"nothing within {seconds} s")
