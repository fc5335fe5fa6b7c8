"""Whether a value is of the kind that an annotation names, without a crossing to the jsii kernel."""

from __future__ import annotations

import inspect
import math
import types
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, Literal, Protocol, Union, get_args, get_origin

_UNIONS = (Union, types.UnionType)
_PLAIN = (str, bytes, int, float, complex, list, tuple, dict, set, frozenset, type(None), type)


class Foreign:
    """The kind of an annotation that only a type checker can resolve: an object of somebody else, or None."""


def fits(value: object, hint: Any) -> bool:
    """Return whether ``value`` is of the kind ``hint``.

    Parameters
    ----------
    value : object
        What a caller gave.
    hint : annotation
        As written: ``int``, ``str | None``, ``Sequence[Sensor]``, ``kms.IKey``, a ``Protocol``.

    Notes
    -----
    Stricter than Python where CloudFormation is: a bool is no number, a number is finite, a text is no sequence and has
    no lone surrogates, which JSON cannot carry. Interfaces and protocols are looked at by the names of their members:
    objects from the jsii kernel need not inherit from them.
    """
    if hint is Any or hint is object:
        return True
    origin = get_origin(hint)
    if origin in _UNIONS:
        return any(fits(value, option) for option in get_args(hint))
    if origin is Literal:
        return any(type(value) is type(option) and value == option for option in get_args(hint))
    if origin is not None:
        return _fits_many(value, origin, get_args(hint))
    return _fits_one(value, hint)


def can_cross(value: object, hint: Any = None) -> bool:
    """Return whether ``value`` survives the way to the jsii kernel, which dies of a NaN and of half a character.

    A NaN for a number is left to the rules of its prop, which do not ask jsii.
    """
    if isinstance(value, str):
        return _is_text(value)
    if isinstance(value, Mapping):
        return all(can_cross(item) for item in (*value.keys(), *value.values()))
    if isinstance(value, Sequence) and not isinstance(value, bytes):
        return all(can_cross(item) for item in value)
    return isinstance(value, int | type(None)) or (isinstance(value, float) and fits(0.5, hint))


def _fits_many(value: object, origin: Any, args: tuple[Any, ...]) -> bool:
    if origin is Callable or not isinstance(origin, type):
        return callable(value)
    if issubclass(origin, Mapping):
        if not isinstance(value, Mapping):
            return False
        key, item = args
        return all(fits(name, key) and fits(one, item) for name, one in value.items())
    if not isinstance(value, Sequence) or isinstance(value, str | bytes):
        return False
    if origin is tuple and Ellipsis not in args:
        return len(value) == len(args) and all(fits(one, hint) for one, hint in zip(value, args, strict=True))
    return all(fits(one, args[0]) for one in value)


def _fits_one(value: object, hint: Any) -> bool:
    if hint in _NUMBERS:
        return _NUMBERS[hint](value)
    if hint is None or not isinstance(hint, type):
        return value is None or hint is not None
    if hint is Foreign:
        return value is None or not isinstance(value, _PLAIN)
    if Protocol in getattr(hint, "__mro__", ()):
        return not isinstance(value, _PLAIN) and _has_members(value, hint)
    return isinstance(value, hint) or _is_struct(value, hint)


def _is_struct(value: object, hint: type) -> bool:
    """Return whether it is a mapping in place of a jsii struct, which CDK takes as well."""
    return isinstance(value, Mapping) and {"__jsii_type__", "__eq__"} <= set(vars(hint))


def _is_integer(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: object) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**300


def _is_text(value: object) -> bool:
    return isinstance(value, str) and not any("\ud800" <= letter <= "\udfff" for letter in value)


_NUMBERS: dict[Any, Callable[[object], bool]] = {int: _is_integer, float: _is_number, str: _is_text}


@cache
def _members(hint: type) -> tuple[str, ...]:
    names = (name for base in hint.__mro__ for name in vars(base) if not name.startswith("_"))
    return tuple(dict.fromkeys(names))


def _has_members(value: object, hint: type) -> bool:
    if type(value).__name__ == "InterfaceDynamicProxy":  # jsii's stand-in for an object that exists in JavaScript only
        return True
    nothing = object()
    return all(inspect.getattr_static(value, name, nothing) is not nothing for name in _members(hint))


def describe(hint: Any) -> str:
    """Return words for a kind, to be read after "must": ``be a whole number or None``."""
    return f"be {_words(hint)}"


def _words(hint: Any) -> str:
    if hint is None or hint is type(None):
        return "None"
    origin, args = get_origin(hint), get_args(hint)
    if origin in _UNIONS:
        return " or ".join(_words(option) for option in args)
    if origin is Literal:
        return f"one of {list(args)}"
    if origin is Callable:
        return "callable"
    if origin is not None:
        many = "a mapping" if isinstance(origin, type) and issubclass(origin, Mapping) else "a sequence"
        return f"{many} of {' to '.join(_words(item) for item in args if item is not Ellipsis)}"
    simple = {int: "a whole number", float: "a finite number", str: "a text", bool: "True or False"}
    return simple[hint] if hint in simple else str(getattr(hint, "__name__", hint))
