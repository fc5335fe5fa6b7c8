"""AWS's minutes on the laptop: with a time scale of 60, a bake of one minute takes one second."""

from __future__ import annotations

from ministack.services import stepfunctions

from .settings import Settings

_scales: list[float] = [1.0]


def install(settings: Settings) -> None:
    """Take the scale of this cloud."""
    _scales[:] = [settings.time_scale]
    stepfunctions._SFN_WAIT_SCALE = 1 / settings.time_scale  # waits and retries of state machines


def seconds(aws_seconds: float) -> float:
    """Return how long a period of AWS lasts here, in seconds."""
    return aws_seconds / _scales[0]
