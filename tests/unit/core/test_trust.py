"""Trust in services: for this account only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam

from cdk_ml_lens.core.trust import of_this_account
from tests.unit.templates import Template


def test_a_service_is_trusted_for_this_account_only(stack: cdk.Stack, synth: Callable[[cdk.Stack], Template]) -> None:
    iam.Role(stack, "Role", assumed_by=of_this_account(stack, "states.amazonaws.com"))
    document: dict[str, Any] = synth(stack).only("AWS::IAM::Role")["AssumeRolePolicyDocument"]
    assert document["Statement"] == [
        {
            "Action": "sts:AssumeRole",
            "Effect": "Allow",
            "Principal": {"Service": "states.amazonaws.com"},
            "Condition": {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}},
        }
    ]
