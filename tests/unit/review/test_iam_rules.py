"""Rules of IAM: what each finds, what it lets pass, and what it cannot know."""

from __future__ import annotations

from typing import Any

import pytest

from cdk_ml_lens.review.resourceless import takes_a_resource
from tests.unit.review.reports import findings

SAGEMAKER = {"Service": "sagemaker.amazonaws.com"}
ROLE = {"Fn::GetAtt": ["Execution", "Arn"]}


def policy(**statement: Any) -> dict[str, tuple[str, dict[str, Any]]]:
    return {"Policy": ("AWS::IAM::Policy", {"PolicyDocument": {"Statement": {"Effect": "Allow", **statement}}})}


def role(**properties: Any) -> dict[str, tuple[str, dict[str, Any]]]:
    return {"Role": ("AWS::IAM::Role", properties)}


def trusting(**statement: Any) -> dict[str, tuple[str, dict[str, Any]]]:
    document = {"Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", **statement}]}
    return role(AssumeRolePolicyDocument=document)


@pytest.mark.parametrize("name", ["AmazonS3FullAccess", "AdministratorAccess", "service-role/AWSGlueServiceRole"])
def test_a_broad_policy_of_aws_is_found(name: str) -> None:
    arn = {"Fn::Join": ["", ["arn:", {"Ref": "AWS::Partition"}, f":iam::aws:policy/{name}"]]}
    short = name.rpartition("/")[2]
    assert findings("IAM1", role(ManagedPolicyArns=[arn])) == [f"Role[Policy::{short}]"]


@pytest.mark.parametrize(
    "arn",
    [
        "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole",
        "arn:aws:iam::111111111111:policy/OurFullAccess",
        {"Ref": "PolicyOfAParameter"},
        {"Fn::If": ["Prod", "arn:aws:iam::aws:policy/AmazonS3FullAccess", {"Ref": "AWS::NoValue"}]},
    ],
)
def test_other_managed_policies_pass(arn: object) -> None:
    assert findings("IAM1", role(ManagedPolicyArns=[arn])) == []


def test_wildcard_actions_are_found_in_policies_and_in_roles() -> None:
    assert findings("IAM2", policy(Action=["s3:*", "*", "s3:Get*"], Resource="arn")) == [
        "Policy[Action::s3:*]",
        "Policy[Action::*]",
    ]
    inline = {"PolicyName": "p", "PolicyDocument": {"Statement": [{"Effect": "Allow", "Action": "iot:*"}]}}
    assert findings("IAM2", role(Policies=[inline])) == ["Role[Action::iot:*]"]


def test_a_deny_of_everything_passes() -> None:
    assert findings("IAM2", policy(Effect="Deny", Action="*", Resource="*")) == []


def test_a_policy_that_waits_for_cloudformation_passes() -> None:
    waiting = {"Policy": ("AWS::IAM::Policy", {"PolicyDocument": {"Ref": "DocumentOfAParameter"}})}
    assert findings("IAM2", waiting) == []


def test_every_resource_is_found_for_actions_that_take_one() -> None:
    actions = ["s3:GetObject", "ecr:GetAuthorizationToken", "s3:Get*"]
    assert findings("IAM3", policy(Action=actions, Resource="*")) == [
        "Policy[Action::s3:GetObject]",
        "Policy[Action::s3:Get*]",
    ]


def test_every_resource_passes_with_a_condition_or_with_a_name() -> None:
    condition = {"StringEquals": {"aws:ResourceTag/project": "turbines"}}
    assert findings("IAM3", policy(Action="s3:GetObject", Resource="*", Condition=condition)) == []
    assert findings("IAM3", policy(Action="s3:GetObject", Resource="arn:aws:s3:::data/*")) == []


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        ("xray:PutTraceSegments", False),
        ("cloudwatch:PutMetricData", False),
        ("ec2:DescribeSubnets", False),
        ("ec2:Describe*", False),
        ("ec2:TerminateInstances", True),
        ("S3:getobject", True),
        ("unheard-of:Thing", False),
    ],
)
def test_actions_that_take_a_resource(action: str, expected: bool) -> None:
    assert takes_a_resource(action) is expected


def test_a_role_is_passed_by_name_to_a_service() -> None:
    assert findings("IAM4", policy(Action="iam:PassRole", Resource="*")) == [
        "Policy[Resource::*]",
        "Policy[Condition]",
    ]
    to_sagemaker = {"StringLike": {"iam:PassedToService": "sagemaker.amazonaws.com"}}
    assert findings("IAM4", policy(Action="iam:PassRole", Resource=ROLE, Condition=to_sagemaker)) == []


def test_a_condition_that_depends_on_the_stage_counts() -> None:
    some = {"Fn::If": ["Prod", {"StringEquals": {"iam:PassedToService": "glue.amazonaws.com"}}, {}]}
    assert findings("IAM4", policy(Action="iam:PassRole", Resource=ROLE, Condition=some)) == []


def test_trust_without_account_is_found_where_the_service_names_it() -> None:
    assert findings("IAM5", trusting(Principal=SAGEMAKER)) == ["Role[Service::sagemaker.amazonaws.com]"]
    assert findings("IAM5", trusting(Principal={"Service": "lambda.amazonaws.com"})) == []
    assert findings("IAM5", trusting(Principal={"AWS": "111111111111"})) == []


@pytest.mark.parametrize("key", ["aws:SourceAccount", "aws:SourceArn", "AWS:sourceAccount", "aws:SourceOrgID"])
def test_trust_with_a_condition_on_the_source_passes(key: str) -> None:
    assert findings("IAM5", trusting(Principal=SAGEMAKER, Condition={"StringEquals": {key: "x"}})) == []


def test_access_keys_are_found_and_users_without_are_not() -> None:
    user: dict[str, Any] = {"User": ("AWS::IAM::User", {})}
    assert findings("IAM6", user) == []
    assert findings("IAM6", {**user, "Key": ("AWS::IAM::AccessKey", {"UserName": {"Ref": "User"}})}) == ["Key"]


def test_what_is_allowed_by_leaving_out_is_found() -> None:
    assert findings("IAM7", policy(NotAction="iam:*", NotResource="arn")) == [
        "Policy[NotAction]",
        "Policy[NotResource]",
    ]
    assert findings("IAM7", policy(Effect="Deny", NotAction="iam:*", Resource="*")) == []
