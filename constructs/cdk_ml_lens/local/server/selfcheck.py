"""Checks that this MiniStack and moto have every private name that we patch or call, as we know it."""

from __future__ import annotations

import importlib
import inspect
from importlib import metadata

from . import expected_core, expected_lake
from .expected import Expected

MINISTACK = "1.5.33"
EXPECTED = expected_core.EXPECTED + expected_lake.EXPECTED


def problems(expected: tuple[Expected, ...] = EXPECTED) -> list[str]:
    """Return one line for each name that is missing or has other parameters; empty when all is well."""
    version = metadata.version("ministack")
    found = [] if version == MINISTACK else [f"ministack must be {MINISTACK}, got {version}"]
    return found + [line for item in expected if (line := _problem(item)) is not None]


def verify() -> None:
    """End the process with every problem listed, if there is one.

    Raises
    ------
    SystemExit
        If a patched name is missing or different.
    """
    if found := problems():
        raise SystemExit("the laptop cloud does not fit this MiniStack:\n  " + "\n  ".join(found))


def _problem(item: Expected) -> str | None:
    try:
        value: object = importlib.import_module(item.module)
        for part in item.name.split("."):
            value = getattr(value, part)
    except (ImportError, AttributeError) as error:
        return f"{item.module}.{item.name} is missing ({error})"
    if item.parameters is None:
        return None
    if not callable(value):
        return f"{item.module}.{item.name} must be a function"
    actual = tuple(inspect.signature(value).parameters)
    if actual != item.parameters:
        return f"{item.module}.{item.name} must take {item.parameters}, got {actual}"
    return None
