"""Two-step data protection: the prop alone destroys nothing."""

from __future__ import annotations

import aws_cdk as cdk
import pytest

from cdk_ml_lens.core.removal import REMOVE_DATA_CONTEXT, removal_policy

DESTROY, RETAIN = cdk.RemovalPolicy.DESTROY, cdk.RemovalPolicy.RETAIN


@pytest.mark.parametrize(
    ("asked", "flag", "given"),
    [
        (None, None, RETAIN),
        (DESTROY, None, RETAIN),
        (DESTROY, False, RETAIN),
        (DESTROY, True, DESTROY),
        (DESTROY, "true", DESTROY),
        (RETAIN, True, RETAIN),
        (cdk.RemovalPolicy.SNAPSHOT, None, cdk.RemovalPolicy.SNAPSHOT),
    ],
)
def test_destroy_takes_prop_and_flag(asked: cdk.RemovalPolicy | None, flag: object, given: cdk.RemovalPolicy) -> None:
    app = cdk.App(context={} if flag is None else {REMOVE_DATA_CONTEXT: flag})
    assert removal_policy(cdk.Stack(app, "S"), asked) is given


def test_ignored_request_warns_with_the_flag_to_set() -> None:
    stack = cdk.Stack(cdk.App(), "S")
    removal_policy(stack, DESTROY)
    warnings = [entry.data for entry in stack.node.metadata if entry.type == "aws:cdk:warning"]
    assert len(warnings) == 1
    assert f"{REMOVE_DATA_CONTEXT}=true" in str(warnings[0])
