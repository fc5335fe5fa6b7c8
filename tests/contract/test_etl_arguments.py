"""The library and the job that it starts: arguments, rules, events and versions are the same on both sides."""

from __future__ import annotations

import importlib
import json
import re
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest

from cdk_ml_lens import QualityRule
from cdk_ml_lens.lake import etl_arguments, etl_events, pipeline_definition

jobs = pytest.importorskip("jobs.run_step", reason="etl_src needs polars")
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def arguments() -> list[dict[str, str]]:
    """Return the arguments of every job in the example, references as text."""
    app = cdk.App()
    stack = importlib.import_module("examples.etl_job").build(app)
    resources = app.synth().get_stack_by_name(stack.stack_name).template["Resources"]
    jobs_made = [item["Properties"] for item in resources.values() if item["Type"] == "AWS::Glue::Job"]
    return [{name: text_of(value) for name, value in job["DefaultArguments"].items()} for job in jobs_made]


def text_of(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def test_the_job_understands_the_arguments_of_every_step(arguments: list[dict[str, str]]) -> None:
    from ml_lens_etl.engine import engine_of
    from ml_lens_etl.quality import Rule
    from ml_lens_features.definition import FeatureSet

    steps = [given for given in arguments if "--step" in given]
    assert {given["--step"] for given in steps} == {"clean", "normalise", "features"}
    for given in steps:
        parsed = jobs.parse([part for pair in given.items() for part in pair])
        assert {name for name in vars(parsed) if f"--{name}" not in given} <= {"artifacts", "rows_per_task"}
        assert FeatureSet.parse(parsed.feature_set)
        assert [Rule.parse(text) for text in json.loads(parsed.quality)]
        assert engine_of(parsed.engine).name == parsed.engine


def test_the_export_understands_its_arguments(arguments: list[dict[str, str]]) -> None:
    from jobs import export_dataset

    (given,) = [given for given in arguments if "--datasets" in given]
    parsed = export_dataset.parse([part for pair in given.items() for part in pair])
    assert {f"--{name}" for name in vars(parsed)} <= given.keys()


def test_every_kind_of_rule_is_understood() -> None:
    from ml_lens_etl.quality import OF_BATCH, OF_COLUMN, Rule

    rules = [
        QualityRule.row_count(at_least=1),
        QualityRule.is_complete("c"),
        QualityRule.completeness("c", at_least=0.5),
        QualityRule.values_between("c", -1e-9, 1.5, share=0.5),
        QualityRule.values_between("c", -1, 1),
        QualityRule.mean_between("c", -1, 1),
        QualityRule.deviation_between("c", 0, 1e12),
    ]
    parsed = [Rule.parse(rule.text) for rule in rules]
    assert [rule.column for rule in parsed] == [rule.column or "" for rule in rules]
    assert {rule.kind for rule in parsed} == {*OF_BATCH, *OF_COLUMN}
    bounds = [(rule.condition.low, rule.condition.high) for rule in parsed if rule.kind == "ColumnValues"]
    assert bounds == [(-1e-9, 1.5), (-1.0, 1.0)]


def test_names_are_the_same_on_both_sides() -> None:
    from ml_lens_etl.publish import QualityError

    assert jobs.EVENT_SOURCE == etl_events.EVENT_SOURCE
    assert jobs.DETAIL_TYPE == etl_events._REFUSED
    assert QualityError.__name__ == pipeline_definition._REFUSED


def test_glue_installs_the_polars_that_is_tested() -> None:
    pins = (ROOT / "constructs" / "cdk_ml_lens" / "local" / "pins" / "etl.txt").read_text(encoding="utf-8")
    assert re.findall(r"^polars==\S+", pins, re.MULTILINE) == [etl_arguments.MODULES]
