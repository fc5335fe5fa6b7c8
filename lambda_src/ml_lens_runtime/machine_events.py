"""Fields of an event that a state machine sends: there, and of the right kind, or a named error."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class EventError(ValueError):
    """A field of an event is missing, or is of another kind."""


def mapping(value: Any, name: str = "the event") -> Mapping[str, Any]:
    """Return an object.

    Raises
    ------
    EventError
        It is none.
    """
    if not isinstance(value, Mapping):
        raise EventError(f"{name} must be an object, got {type(value).__name__}")
    return value


def text(event: Any, name: str) -> str:
    """Return a text of an event.

    Raises
    ------
    EventError
        It is missing, empty or none.
    """
    value = mapping(event).get(name)
    if not isinstance(value, str) or not value or not value.isprintable():
        raise EventError(f"{name} must be a printable text, got {type(value).__name__}")
    return value


def whole(event: Any, name: str) -> int:
    """Return a whole number of an event.

    Raises
    ------
    EventError
        It is missing or none.
    """
    value = mapping(event).get(name)
    if type(value) is not int:
        raise EventError(f"{name} must be a whole number, got {type(value).__name__}")
    return value


def counts(value: Any, names: tuple[str, ...]) -> dict[str, int]:
    """Return counts by name; one that is missing is 0.

    Raises
    ------
    EventError
        One is no whole number.
    """
    given = mapping(value, "counts")
    return {name: whole(given, name) if name in given else 0 for name in names}
