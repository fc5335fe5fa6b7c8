"""How rules read values: what waits for deployment counts as given, never as missing."""

from __future__ import annotations

from typing import Any

import pytest

from cdk_ml_lens.review import intrinsics, jobs
from cdk_ml_lens.review.template import Template

IF = {"Fn::If": ["Prod", {"B": True}, {"Ref": "AWS::NoValue"}]}


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ({"A": {"B": 1}}, 1),
        ({"A": {}}, None),
        ({}, None),
        ({"A": IF}, IF),
        ({"A": {"B": {"Ref": "AWS::NoValue"}}}, None),
        ({"A": "{% $plan %}"}, "{% $plan %}"),
        ({"A": {"Get": "Parameters.Plan"}}, {"Get": "Parameters.Plan"}),
    ],
)
def test_a_step_that_is_not_known_is_returned_as_it_stands(value: Any, found: Any) -> None:
    assert intrinsics.at(value, "A.B") == found


@pytest.mark.parametrize(
    ("value", "off"), [(None, True), (False, True), ("false", True), (True, False), ("true", False), (IF, False)]
)
def test_only_what_is_certainly_off_is_off(value: Any, off: bool) -> None:
    assert intrinsics.is_off(value) is off


@pytest.mark.parametrize(
    ("value", "number"), [(2, 2.0), ("2", 2.0), ({"Ref": "Count"}, None), ("{% $n %}", None), (None, None)]
)
def test_numbers_may_be_written_as_text(value: Any, number: float | None) -> None:
    assert intrinsics.known_number(value) == number


@pytest.mark.parametrize(
    ("value", "wanted", "surely"),
    [
        ("File", "Pipe", True),
        ("TRUE", True, False),
        ({"Ref": "Mode"}, "Pipe", False),
        ({"Ref": "AWS::NoValue"}, "Pipe", True),
        ({"Ref": "AWS::NoValue"}, None, False),
        ([{"Mode": "File"}], "Pipe", True),
        ([{"Mode": {"Ref": "Mode"}}], "Pipe", False),
    ],
)
def test_only_what_is_known_is_surely_something_else(value: Any, wanted: Any, surely: bool) -> None:
    assert intrinsics.surely_not(value, wanted) is surely


def test_blocks_leave_out_what_is_decided_at_deployment() -> None:
    document = {"Resources": {"A": {"Type": "X", "Properties": {"Items": [{"Name": "a"}, IF]}}}}
    (resource,) = Template(document).of_type("X")
    assert resource.blocks("Items") == [{"Name": "a"}]
    assert resource.blocks("Other") == []


def test_a_call_whose_request_is_one_expression_has_no_missing_argument() -> None:
    definition = '{"States": {"Make": {"Type": "Task", "Resource": "arn:aws:states:::aws-sdk:sagemaker:createModel", '
    definition += '"Arguments": "{% $plan.model %}"}}}'
    machine = {"Type": jobs.MACHINE, "Properties": {"DefinitionString": definition}}
    (job,) = jobs.of(Template({"Resources": {"M": machine}}))
    assert (job.operation, job.get("VpcConfig.Subnets")) == ("createModel", "{% $plan.model %}")
