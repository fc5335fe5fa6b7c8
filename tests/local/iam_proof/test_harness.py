"""The harness itself: a right that nothing needs is found, and the policy is as before afterwards."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cdk_ml_lens.local import LaptopCloud
from cdk_ml_lens.review.template import Template
from tests.local.iam_proof import harness
from tests.local.iam_proof.harness import Proof, less
from tests.local.iam_proof.shapes import shape
from tests.local.iam_proof.support import invoked, physical
from tests.local.support import inline_function, policy, role, write_assembly

SENDING = """
    import boto3
    def handler(event, context):
        boto3.client("sqs").send_message(QueueUrl=event["queue"], MessageBody="hello")
"""
QUEUE = {"Fn::GetAtt": ["Queue", "Arn"]}


@pytest.mark.laptop_cloud
def test_a_right_that_the_work_does_not_need_is_named_and_given_back(guarded: LaptopCloud, tmp_path: Path) -> None:
    document = policy((["sqs:PurgeQueue", "sqs:SendMessage"], QUEUE))
    resources: dict[str, Any] = {
        "Role": role(Policies=[{"PolicyName": "send", "PolicyDocument": document}]),
        "Function": inline_function(SENDING),
        "Queue": {"Type": "AWS::SQS::Queue"},
    }
    guarded.deploy(write_assembly(tmp_path, "Unneeded", {"Resources": resources}), "Unneeded")
    function, queue, name = (physical(guarded, "Unneeded", id) for id in ("Function", "Queue", "Role"))
    proof = Proof(
        role="Role",
        setting="a template of this test",
        stack="Unneeded",
        work=lambda: invoked(guarded, function, {"queue": queue}),
        template=Template({"Resources": resources}),
    )
    before = guarded.client("iam").get_role_policy(RoleName=name, PolicyName="send")["PolicyDocument"]
    with pytest.raises(AssertionError, match=r"goes on without \['sqs:PurgeQueue on queue'\]"):
        harness.prove(guarded, proof, test="this")
    assert guarded.client("iam").get_role_policy(RoleName=name, PolicyName="send")["PolicyDocument"] == before


def allow(actions: Any, resources: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": actions, "Resource": resources}


@pytest.mark.parametrize(
    ("statement", "kept"),
    [
        (allow("a:X", "one"), []),
        (allow(["a:X", "a:Y"], "one"), [allow(["a:Y"], "one")]),
        (allow(["a:X", "a:Y"], ["one", "two"]), [allow(["a:Y"], ["one", "two"]), allow(["a:X"], ["two"])]),
        (allow("a:Y", "one"), [allow("a:Y", "one")]),
        (allow("a:X", "two"), [allow("a:X", "two")]),
        ({**allow("a:X", "one"), "Effect": "Deny"}, [{**allow("a:X", "one"), "Effect": "Deny"}]),
    ],
)
def test_only_the_action_on_the_resource_is_taken(statement: dict[str, Any], kept: list[dict[str, Any]]) -> None:
    assert less(statement, "a:X", {"one"}) == kept


ARN = "arn:${AWS::Partition}:%s:${AWS::Region}:${AWS::AccountId}:%s"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("*", "*"),
        ({"Fn::GetAtt": ["ScorerLedgerTable01234567", "Arn"]}, "table/Ledger"),
        ({"Fn::Join": ["", [{"Fn::GetAtt": ["Data01234567", "Arn"]}, "/telemetry/*"]]}, "bucket/objects"),
        ({"Fn::GetAtt": ["Data01234567", "Arn"]}, "bucket"),
        ({"Fn::Sub": ARN % ("sagemaker", "endpoint/turbines")}, "endpoint"),
        ({"Fn::Sub": ARN % ("events", "event-bus/default")}, "event-bus/default"),
        ({"Fn::Sub": "arn:${AWS::Partition}:s3:::lake/_artifacts/a.json"}, "bucket/objects"),
        ({"Ref": "NobodysTable"}, "parameter"),
    ],
)
def test_a_shape_leaves_out_what_a_stack_names(value: Any, expected: str) -> None:
    types = {"ScorerLedgerTable01234567": "AWS::DynamoDB::Table", "Data01234567": "AWS::S3::Bucket"}
    template = Template({"Resources": {name: {"Type": kind} for name, kind in types.items()}})
    assert shape(json.loads(json.dumps(value)), template) == expected
