"""Every public construct, with whatever a user may give it: refused, or a template that fits the schemas."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from constructs import Construct
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import cdk_ml_lens as ml
from tests.unit.fuzz.known import known_of
from tests.unit.fuzz.outcome import attempt
from tests.unit.fuzz.place import Place
from tests.unit.fuzz.recipes import RECIPES
from tests.unit.fuzz.values import hints_of, mutated

CONSTRUCTS = {name for name in ml.__all__ if isinstance(getattr(ml, name), type)}
CONSTRUCTS = {name for name in CONSTRUCTS if issubclass(getattr(ml, name), Construct)}
# Made of many others, which are fuzzed themselves; each costs a second.
LARGE = {"MlopsLoop", "IotInference", "IotDataLake", "AbTest", "RebuildEndpoint", "Retraining"}
EXAMPLES = int(os.environ.get("ML_LENS_FUZZ_EXAMPLES", "8"))
KEPT = int(os.environ.get("ML_LENS_FUZZ_KEPT", "1"))  # of each construct, for the schemas
LINTED = int(os.environ.get("ML_LENS_FUZZ_LINTED", "12"))  # templates; each costs half a second
quick = settings(
    phases=[Phase.generate], derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck)
)


class Made:
    """One app for all examples; what was refused halfway is taken out of it again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.app = cdk.App(outdir=str(folder))
        self.known = known_of(Place(cdk.Stack(self.app, "Known")))
        self.kept: dict[str, int] = {}
        self.count = 0

    def attempt(self, name: str, data: st.DataObject) -> None:
        self.count += 1
        id = f"Fuzz{self.count}"
        stack = cdk.Stack(self.app, id)
        at = Place(stack)
        construct = getattr(ml, name)
        kept = False
        try:  # a draw may end the example as well
            props = RECIPES[name](at)
            if hints_of(construct):
                props = data.draw(mutated(props, hints_of(construct), self.known))
            made = attempt(lambda **named: construct(stack, "Fuzzed", **named), **props)
            kept = made is not None and self.kept.get(name, 0) < KEPT
        finally:
            if kept:
                self.kept[name] = self.kept.get(name, 0) + 1
            else:
                self.app.node.try_remove_child(id)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return Made(tmp_path_factory.mktemp("fuzz") / "cdk.out")


def test_no_construct_is_missing() -> None:
    assert set(RECIPES) == CONSTRUCTS


@pytest.mark.parametrize("name", sorted(set(RECIPES) - LARGE))
@settings(quick, max_examples=EXAMPLES)
@given(data=st.data())
def test_a_construct_is_made_or_refused(name: str, made: Made, data: st.DataObject) -> None:
    made.attempt(name, data)


@pytest.mark.parametrize("name", sorted(LARGE))
@settings(quick, max_examples=2)
@given(data=st.data())
def test_a_large_construct_is_made_or_refused(name: str, made: Made, data: st.DataObject) -> None:
    made.attempt(name, data)


def test_what_was_made_synthesizes_and_fits_the_schemas(made: Made) -> None:
    from cfnlint import lint
    from cfnlint.config import ManualArgs

    made.app.synth()
    templates = sorted(made.folder.glob("*.template.json"))
    found: list[str] = []
    config = ManualArgs(regions=["us-east-1"], ignore_checks=["I", "W"])
    for path in templates[:: max(1, len(templates) // LINTED)]:
        matches: list[Any] = lint(path.read_text(encoding="utf-8"), config=config)
        found += [f"{path.stem}: {match}" for match in matches]
    assert len(templates) > 20
    assert found == []
