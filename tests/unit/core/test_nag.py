"""Finding ids of cdk-nag as it writes them, and events that a queue takes in."""

from __future__ import annotations

from collections.abc import Callable

import aws_cdk as cdk
import pytest
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs

from cdk_ml_lens.core.event_rules import admit_undelivered
from cdk_ml_lens.core.nag import finding_of
from tests.unit.templates import Template


def test_a_finding_names_references_in_brackets(stack: cdk.Stack) -> None:
    bucket = s3.Bucket(stack, "Data")
    id = stack.get_logical_id(bucket.node.default_child)  # type: ignore[arg-type]
    assert finding_of(stack, "*") == "Resource::*"
    assert finding_of(stack, bucket.arn_for_objects("raw/*")) == f"Resource::<{id}.Arn>/raw/*"
    assert finding_of(stack, bucket.bucket_name) == f"Resource::<{id}>"


def test_fails_on_an_intrinsic_function_whose_finding_id_nobody_knows(stack: cdk.Stack) -> None:
    with pytest.raises(TypeError, match="no cdk-nag finding id is known for Fn::ImportValue"):
        finding_of(stack, cdk.Fn.import_value("Shared"))


def test_a_queue_without_key_of_its_own_needs_no_policy_for_undelivered_events(
    stack: cdk.Stack, synth: Callable[[cdk.Stack], Template]
) -> None:
    admit_undelivered(sqs.Queue(stack, "Plain", encryption=sqs.QueueEncryption.SQS_MANAGED))
    assert synth(stack).of_type("AWS::KMS::Key") == {}
