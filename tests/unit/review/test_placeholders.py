"""Whatever a parameter or a condition hides: no rule breaks on it, and ours do not call it a fault."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import aws_cdk as cdk
import pytest

from cdk_ml_lens.review.rule import Rule
from cdk_ml_lens.review.rules import every_rule
from cdk_ml_lens.review.template import Template
from tests.fixtures import bad_app, good_app

HIDDEN = ({"Ref": "Parameter"}, {"Fn::If": ["Prod", {"Ref": "Parameter"}, {"Ref": "AWS::NoValue"}]})
CAREFUL = ("SM", "NB", "TR", "LK", "MO")
# A policy of a bucket that is not known closes another bucket, not this one.
EXCEPT = {("LK1", "DataPolicy", ("Bucket",)), ("LK1", "CapturesPolicy", ("Bucket",))}


@pytest.fixture(scope="module", params=[good_app, bad_app], ids=["good", "bad"])
def documents(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    folder = tmp_path_factory.mktemp("app")
    return templates_of(request.param, folder)


def templates_of(module: ModuleType, folder: Path) -> list[dict[str, Any]]:
    app = cdk.App(outdir=str(folder))
    module.build(app)
    app.synth()
    return [json.loads(path.read_text()) for path in sorted(folder.glob("*.template.json"))]


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if path:
        yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        if not str(key).startswith(("Ref", "Fn::")):
            yield from places(item, (*path, key))


def hide(document: dict[str, Any], logical_id: str, path: tuple[Any, ...], hidden: Any) -> dict[str, Any]:
    changed = copy.deepcopy(document)
    at = changed["Resources"][logical_id]["Properties"]
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = hidden
    return changed


def found(rules: tuple[Rule, ...], document: dict[str, Any], others: tuple[Template, ...]) -> set[tuple[str, str]]:
    template = Template(document, others)
    return {(rule.id, f"{hit.logical_id}: {hit.message}") for rule in rules for hit in rule.check(template)}


@cache
def careful() -> tuple[Rule, ...]:
    return tuple(rule for rule in every_rule() if rule.id.startswith(CAREFUL))


def hidden_places(documents: list[dict[str, Any]]) -> Iterator[tuple[str, tuple[Any, ...], Any, tuple[Template, ...]]]:
    for document in documents:
        others = tuple(Template(other) for other in documents if other is not document)
        for logical_id, resource in document["Resources"].items():
            for path in places(resource.get("Properties", {})):
                for hidden in HIDDEN:
                    yield logical_id, path, hide(document, logical_id, path, hidden), others


def test_no_rule_breaks_on_what_is_not_known(documents: list[dict[str, Any]]) -> None:
    count = 0
    for _, _, document, others in hidden_places(documents):
        found(every_rule(), document, others)
        count += 1
    assert count > 300


def test_what_is_not_known_is_no_fault(tmp_path: Path) -> None:
    wrong = {
        (rule, logical_id, path)
        for logical_id, path, document, others in hidden_places(templates_of(good_app, tmp_path))
        for rule, _ in found(careful(), document, others)
    }
    assert wrong - EXCEPT == set()
