"""Public names refuse props of the wrong kind with a PropError, before anything else looks at them."""

from __future__ import annotations

import functools
import inspect
import sys
import types
from collections.abc import Callable
from typing import Any, get_type_hints

from cdk_ml_lens.core.errors import Faults, PropError
from cdk_ml_lens.core.kinds import Foreign, can_cross, describe, fits

_MARK = "__cdk_ml_lens_typed__"
_PLACES = ("self", "scope", "id", "return")


def typed(thing: Any) -> Any:
    """Return ``thing``; its initialiser and static factories, or the function itself, check arguments from now on.

    Parameters
    ----------
    thing : class or function
        A public name of ours. A class is changed in place, once, so that it stays one class.

    Notes
    -----
    Python does not look at annotations, and jsii looks at those of CDK only. Without this, a text for a number ends as
    a TypeError somewhere inside, or in a template that CloudFormation refuses.
    """
    if isinstance(thing, types.FunctionType):
        return _checking(thing, thing.__name__, None)
    if not isinstance(thing, type) or _MARK in vars(thing) or not _has_props(thing):
        return thing
    setattr(thing, _MARK, True)
    name = _readable(thing.__name__)
    if "__init__" in vars(thing):
        thing.__init__ = _checking(thing.__init__, name, thing)  # type: ignore[misc]
    for key, member in list(vars(thing).items()):
        if isinstance(member, staticmethod) and not key.startswith("_"):
            setattr(thing, key, staticmethod(_checking(member.__func__, f"{name} {key}", thing)))
    return thing


def _has_props(thing: type) -> bool:
    return not issubclass(thing, BaseException) and not getattr(thing, "_is_protocol", False)


def _readable(name: str) -> str:
    return "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name).strip()


def _checking(function: Callable[..., Any], which: str, owner: type | None) -> Callable[..., Any]:
    if hasattr(function, _MARK):
        return function
    signature = inspect.signature(function)
    hints = functools.cache(lambda: _hints(function, owner))  # at the first call: modules may still be loading now

    def look(positional: tuple[Any, ...], named: dict[str, Any], *, first: bool = False) -> None:
        given = _given(signature, positional, named)
        if first:
            given = {prop: value for prop, value in given.items() if not can_cross(value, hints().get(prop))}
        check(given, hints(), which)

    if hasattr(owner, "__jsii_type__"):
        checked = _look_first(function, look)
    else:  # what a function makes of an argument is its own affair, as long as it makes something
        checked = _look_after(function, look, strict=owner is not None)
    setattr(checked, _MARK, True)
    return checked


def _look_first(function: Callable[..., Any], look: Callable[..., None]) -> Callable[..., Any]:
    """A construct: nothing may be added to the tree when a prop is wrong."""

    @functools.wraps(function)
    def checked(*positional: Any, **named: Any) -> Any:
        look(positional, named)
        return function(*positional, **named)

    return checked


def _look_after(function: Callable[..., Any], look: Callable[..., None], *, strict: bool) -> Callable[..., Any]:
    """A value: its own rules say more than its annotations, so they go first; but they may ask jsii about a token."""

    @functools.wraps(function)
    def checked(*positional: Any, **named: Any) -> Any:
        look(positional, named, first=True)
        try:
            made = function(*positional, **named)
        except PropError:
            raise
        except Exception:
            look(positional, named)
            raise
        if strict:
            look(positional, named)
        return made

    return checked


def _given(signature: inspect.Signature, positional: tuple[Any, ...], named: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments by name; none if they do not fit, because Python says that best."""
    try:
        found = signature.bind(*positional, **named).arguments
    except TypeError:
        return {}
    many = {name for name, one in signature.parameters.items() if one.kind is one.VAR_POSITIONAL}
    return {name: value for name, value in found.items() if name not in many}


def check(given: dict[str, Any], hints: dict[str, Any], which: str) -> None:
    """Raise a `PropError` with every argument that is not of its annotation's kind."""
    faults = Faults(which)
    for prop, value in given.items():
        if prop in hints and prop not in _PLACES and not fits(value, hints[prop]):
            faults.unless(False, prop, describe(hints[prop]), value)
    faults.raise_any()


def _hints(function: Callable[..., Any], owner: type | None) -> dict[str, Any]:
    """Return the annotations of a function; `Foreign` for those that only a type checker can resolve.

    The initialiser of a dataclass has annotations of its bases, which are to be read in the modules of those.
    """
    homes = [function.__module__] if owner is None else [base.__module__ for base in reversed(owner.__mro__)]
    space: dict[str, Any] = {}
    for home in homes:
        space.update(vars(sys.modules[home]))
    found: dict[str, Any] = {}
    for prop, text in function.__annotations__.items():
        one = types.SimpleNamespace(__annotations__={prop: text})
        try:
            found[prop] = get_type_hints(one, globalns=space)[prop]
        except NameError:
            found[prop] = Foreign
    return found
