"""Value objects and static factories, with whatever a user may give them: made, or refused with a PropError."""

from __future__ import annotations

import dataclasses
import inspect
from typing import Any

import aws_cdk as cdk
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import cdk_ml_lens as ml
from tests.unit.fuzz.known import Known, known_of
from tests.unit.fuzz.outcome import attempt
from tests.unit.fuzz.place import Place
from tests.unit.fuzz.values import fields_of, hints_of, mutated, near, other_kinds

PUBLIC = {name: getattr(ml, name) for name in ml.__all__}
VALUES = {name: thing for name, thing in PUBLIC.items() if isinstance(thing, type) and dataclasses.is_dataclass(thing)}
FUNCTIONS = {name: PUBLIC[name] for name in ("load_test_sizing", "prediction_table", "telemetry_table",
                                             "users_for_conversion", "users_for_mean")}  # fmt: skip
# They make constructs or read files, and are given a scope: unit tests of their own.
PLACED = {"ModelArtifact.from_file", "ModelArtifact.from_parameters"}


def factories() -> dict[str, Any]:
    found = dict(FUNCTIONS)
    for name, thing in PUBLIC.items():
        for key, member in vars(thing).items() if isinstance(thing, type) and name != "RegistryReference" else ():
            if isinstance(member, staticmethod) and not key.startswith("_") and "scope" not in hints(member):
                found[f"{name}.{key}"] = member.__func__
    return {name: found[name] for name in sorted(found) if name not in PLACED}


def hints(member: staticmethod[Any, Any]) -> set[str]:
    return set(inspect.signature(member.__func__).parameters)


FACTORIES = factories()
quick = settings(
    phases=[Phase.generate],
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    print_blob=False,
)


@pytest.fixture(scope="module")
def known() -> Known:
    return known_of(Place(cdk.Stack(cdk.App(), "Values")))


def test_no_value_object_is_missing(known: Known) -> None:
    assert [name for name, thing in VALUES.items() if thing not in known] == []


@pytest.mark.parametrize("name", sorted(VALUES))
@settings(quick, max_examples=15)
@given(data=st.data())
def test_a_value_object_is_made_or_refused(name: str, known: Known, data: st.DataObject) -> None:
    good = data.draw(st.sampled_from(known[VALUES[name]]))
    props = data.draw(mutated(fields_of(good), hints_of(type(good)), known))
    attempt(type(good), **props)


@pytest.mark.parametrize("name", FACTORIES)
@settings(quick, max_examples=10)
@given(data=st.data())
def test_a_factory_makes_or_refuses(name: str, known: Known, data: st.DataObject) -> None:
    factory = FACTORIES[name]
    given_props = {}
    for prop, hint in hints_of(factory).items():
        parameter = inspect.signature(factory).parameters[prop]
        if parameter.default is inspect.Parameter.empty or data.draw(st.booleans()):
            given_props[prop] = data.draw(near(hint, known) if data.draw(st.integers(0, 4)) else other_kinds())
    attempt(lambda **props: call(factory, props), **given_props)


def call(factory: Any, props: dict[str, Any]) -> Any:
    """Call a factory whose first parameters may have to be given by place."""
    parameters = inspect.signature(factory).parameters
    placed = [name for name, one in parameters.items() if one.kind is one.POSITIONAL_ONLY]
    return factory(*(props.pop(name) for name in placed), **props)
