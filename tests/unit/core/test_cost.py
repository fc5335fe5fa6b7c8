"""The cost tag: the path of the construct that pays."""

from __future__ import annotations

import aws_cdk as cdk
from constructs import Construct

from cdk_ml_lens.core.cost import COST_TAG, job_tags


def test_a_job_names_the_construct_that_pays(stack: cdk.Stack) -> None:
    assert job_tags(Construct(stack, "Training")) == [{"Key": COST_TAG, "Value": "Test/Training"}]


def test_a_deep_path_keeps_its_end_within_the_limit_of_a_tag(stack: cdk.Stack) -> None:
    scope: Construct = stack
    for _ in range(10):
        scope = Construct(scope, "x" * 40)
    (tag,) = job_tags(Construct(scope, "Last"))
    assert (len(tag["Value"]), tag["Value"][-5:]) == (256, "/Last")
