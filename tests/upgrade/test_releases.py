"""Today's stacks against the templates of each release: an update loses nothing that holds data."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.upgrade.changes import STATEFUL, losses

ROOT = Path(__file__).resolve().parents[2]
RELEASED = sorted((Path(__file__).parent / "releases").glob("*/*.template.json"))
NAMES = [f"{path.parent.name}-{path.name.split('.')[0]}" for path in RELEASED]


def template(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text())
    return content


@pytest.mark.parametrize(
    "released", RELEASED, ids=[f"{path.parent.name}-{path.name.split('.')[0]}" for path in RELEASED]
)
def test_an_update_from_a_release_keeps_all_data(released: Path, today: Path) -> None:
    lost = losses(template(released), template(today / released.name))
    assert lost == [], "\n".join(["updating from this release would lose data:", *map(str, lost)])


def test_a_renamed_construct_of_a_stack_would_be_seen(today: Path) -> None:
    old = template(today / "IotInference.template.json")
    for logical_id, resource in old["Resources"].items():
        if resource["Type"] in STATEFUL:
            renamed = {f"{name}X" if name == logical_id else name: body for name, body in old["Resources"].items()}
            assert logical_id in {loss.logical_id for loss in losses(old, {"Resources": renamed})}


def test_every_type_that_the_stacks_retain_counts_as_stateful(today: Path) -> None:
    kept = {
        resource["Type"]
        for path in today.glob("*.template.json")
        for resource in template(path)["Resources"].values()
        if resource.get("DeletionPolicy") == "Retain"
    }
    assert kept - set(STATEFUL) <= {"AWS::Logs::LogStream"}  # a stream holds what its group holds


def test_no_released_stack_has_disappeared(today: Path) -> None:
    assert {path.name for path in RELEASED} <= {path.name for path in today.glob("*.template.json")}
