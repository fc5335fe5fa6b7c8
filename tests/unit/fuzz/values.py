"""Values that a user may give for a prop: by its annotation, within and beyond the limits, and of another kind."""

from __future__ import annotations

import dataclasses
import inspect
import types
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Literal, Union, get_args, get_origin

import aws_cdk as cdk
from hypothesis import strategies as st

from cdk_ml_lens.core.typed import _hints

Strategy = st.SearchStrategy[Any]
NUMBERS = (-1, 0, 1, 2, 3, 5, 7, 10, 15, 30, 59, 60, 61, 64, 100, 101, 128, 255, 256, 365, 900, 1000, 1024, 1440, 3600)
HUGE = (-(2**63), 8192, 10**5, 10**6, 10**9, 2**31, 2**63, 10**18, 10**40)
SHARES = (-0.1, 0.0, 1e-300, 1e-9, 0.001, 0.01, 0.05, 0.3, 0.5, 0.95, 0.999, 1.0, 1.5, 99.5, 1e6, 1e300)
TEXTS = (
    "", " ", "a", "A-1", "a_b", "-a", "a-", "a.b", "a/b", "/a", "a/", "..", "*", "a*", "${x}", "{{x}}", "a\nb", "\x00",
    "ünïcode", "日本", "a b", "a'b", 'a"b', "x" * 64, "x" * 300, "x" * 70_000, "$[0]", "$", "ml.m5.large", "text/csv",
    "s3://bucket/key", "arn:aws:s3:::x", "0 3 * * ? *", "rate(1 day)", "UTC", "Europe/Nowhere", "10.0.0.0/8", "1", "-1",
    "a@example.com", "temperature", "primary", "raw", "111122223333", "2026-13-01", "SELECT *", "G.1X", "https://x/y",
)  # fmt: skip
OTHER_KINDS = (
    None, True, False, -1, 0, 1, 2**63, 0.5, float("nan"), float("inf"), -float("inf"), 1j, "", "x", "1", b"x", (), [],
    [None], ["x"], {}, {"a": 1}, {1: 2}, set(), object(), int, len, "\ud800", Exception("x"),
)  # fmt: skip


def tokens() -> Strategy:
    """Return values that CloudFormation knows and Python does not."""
    return st.sampled_from([cdk.Aws.REGION, f"a-{cdk.Aws.ACCOUNT_ID}", cdk.Token.as_string({"Ref": "AWS::StackName"})])


def other_kinds() -> Strategy:
    return st.sampled_from(OTHER_KINDS)


def near(hint: Any, known: Mapping[Any, Sequence[Any]]) -> Strategy:
    """Return values of the kind ``hint``; ``known`` has objects by type, for what cannot be made of nothing."""
    simple: dict[Any, Strategy] = {
        int: st.sampled_from(NUMBERS + HUGE) | st.integers(),
        float: st.sampled_from(SHARES + NUMBERS) | st.floats(),
        str: st.sampled_from(TEXTS) | st.text(max_size=20) | tokens(),
        bool: st.booleans(),
    }
    if isinstance(hint, type) and hint in simple:
        return simple[hint]
    if get_origin(hint) in (Union, types.UnionType):
        return st.one_of(*(near(option, known) for option in get_args(hint)))
    if get_origin(hint) is Literal:
        return st.sampled_from([*get_args(hint), "another"])
    if get_origin(hint) is not None:
        return _many(hint, known)
    return _objects(hint, known)


def _many(hint: Any, known: Mapping[Any, Sequence[Any]]) -> Strategy:
    origin, args = get_origin(hint), get_args(hint)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return st.dictionaries(near(args[0], known), near(args[1], known), max_size=3)
    if not isinstance(origin, type) or not issubclass(origin, Sequence):
        return other_kinds()
    if origin is tuple and Ellipsis not in args:
        return st.tuples(*(near(item, known) for item in args))
    listed = st.lists(near(args[0], known), max_size=4)
    return listed | listed.map(tuple) | listed.map(lambda items: items + items)


def _objects(hint: Any, known: Mapping[Any, Sequence[Any]]) -> Strategy:
    if hint is None or hint is type(None):
        return st.none()
    found = list(known.get(hint, ()))
    if not found and isinstance(hint, type) and issubclass(hint, cdk.RemovalPolicy):
        found = list(cdk.RemovalPolicy)
    return st.sampled_from(found) if found else other_kinds()


@cache
def hints_of(thing: Any) -> dict[str, Any]:
    """Return the annotations of a class's props, or of a static factory's."""
    function = inspect.unwrap(thing.__init__ if isinstance(thing, type) else thing)
    owner = thing if isinstance(thing, type) else None
    found = _hints(function, owner)
    return {name: hint for name, hint in found.items() if name not in ("return", "self", "scope", "id")}


def fields_of(value: Any) -> dict[str, Any]:
    """Return what a value object was made of."""
    return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}


@st.composite
def mutated(draw: st.DrawFn, base: dict[str, Any], hints: dict[str, Any], known: Mapping[Any, Sequence[Any]]) -> Any:
    """Return ``base`` with one to three props changed: mostly within their kind, else of another."""
    names = draw(st.lists(st.sampled_from(sorted(hints)), min_size=1, max_size=min(3, len(hints)), unique=True))
    changed = {}
    for name in names:
        wild = draw(st.integers(0, 3)) == 0
        changed[name] = draw(other_kinds() if wild else near(hints[name], known))
    return {**base, **changed}
