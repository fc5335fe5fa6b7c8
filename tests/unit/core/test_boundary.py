"""bound_roles: one line for every role and user, by prop or context, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3

from cdk_ml_lens import PropError
from cdk_ml_lens.core.boundary import BOUNDARY_CONTEXT, bound_roles
from tests.unit.templates import Template

Synth = Callable[[cdk.Stack], Template]
ARN = "arn:aws:iam::111122223333:policy/teams/Turbines"


def boundaries(template: Template) -> list[Any]:
    identities = [*template.of_type("AWS::IAM::Role").values(), *template.of_type("AWS::IAM::User").values()]
    return [one.get("Properties", {}).get("PermissionsBoundary") for one in identities]


def fill(stack: cdk.Stack) -> None:
    """Add a role, an L1 role, an L1 user, and CDK's own custom resource."""
    iam.Role(stack, "Role", assumed_by=iam.AccountRootPrincipal())
    iam.CfnRole(stack, "Plain", assume_role_policy_document={})
    iam.CfnUser(stack, "User")
    s3.Bucket(stack, "Bucket", auto_delete_objects=True, removal_policy=cdk.RemovalPolicy.DESTROY)


def test_without_prop_or_context_nothing_is_bound(app: cdk.App, stack: cdk.Stack, synth: Synth) -> None:
    assert bound_roles(app) is None
    fill(stack)
    assert boundaries(synth(stack)) == [None] * 4


def test_roles_users_l1s_and_custom_resources_are_bound_also_later_ones(
    app: cdk.App, stack: cdk.Stack, synth: Synth
) -> None:
    assert bound_roles(app, boundary=ARN) == ARN
    fill(stack)
    assert boundaries(synth(stack)) == [ARN] * 4


def test_a_name_in_the_context_is_a_policy_of_the_deploying_account(tmp_path: Path) -> None:
    app = cdk.App(context={BOUNDARY_CONTEXT: "TeamBoundary"}, outdir=str(tmp_path))
    stack = cdk.Stack(app, "Test")
    bound_roles(app)
    fill(stack)
    (arn,) = {str(one) for one in boundaries(Template(app.synth().get_stack_by_name("Test").template))}
    assert "AWS::Partition" in arn
    assert "AWS::AccountId" in arn
    assert ":policy/TeamBoundary" in arn


def test_a_stack_may_have_a_boundary_of_its_own(app: cdk.App, stack: cdk.Stack, synth: Synth) -> None:
    bound_roles(app, boundary="Everybody")
    bound_roles(stack, boundary=ARN)
    fill(stack)
    assert boundaries(synth(stack)) == [ARN] * 4


@pytest.mark.parametrize("wrong", ["", "a b", "arn:aws:iam::1:policy/x", "arn:aws:iam::111122223333:role/x", 7, True])
def test_fails_for_what_is_no_policy(wrong: Any, app: cdk.App) -> None:
    with pytest.raises(PropError, match="boundary must be the name or the ARN of a managed policy"):
        bound_roles(app, boundary=wrong)


def test_fails_for_a_second_boundary_on_the_same_scope(app: cdk.App) -> None:
    bound_roles(app, boundary="First")
    with pytest.raises(PropError, match="boundary must be put on a scope once"):
        bound_roles(app, boundary="Second")
