"""Asynchronous Lambda: bounded, retried twice, then the failure destination gets AWS's record."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cdk_ml_lens.local import LaptopCloud
from tests.local.conftest import Collected, Deploy, Received, Until
from tests.local.support import inline_function, role

pytestmark = pytest.mark.laptop_cloud

FAILING = """
    import boto3, json, os
    def handler(event, context):
        boto3.client("sqs").send_message(QueueUrl=os.environ["SEEN"], MessageBody=json.dumps(event))
        if event.get("bad"):
            raise ValueError("bad reading")
"""
COUNTING = """
    import boto3, os, time
    def handler(event, context):
        started = time.time()
        time.sleep(0.3)
        body = f"{os.getpid()} {started} {time.time()}"
        boto3.client("sqs").send_message(QueueUrl=os.environ["SEEN"], MessageBody=body)
"""


def rule(function: str, **more: Any) -> dict[str, Any]:
    action = {"Lambda": {"FunctionArn": {"Fn::GetAtt": [function, "Arn"]}}}
    payload = {"Sql": f"SELECT * FROM 'queue/{function}/+'", "Actions": [action], "AwsIotSqlVersion": "2016-03-23"}
    return {"Type": "AWS::IoT::TopicRule", "Properties": {"TopicRulePayload": {**payload, **more}}}


def queue() -> dict[str, Any]:
    return {"Type": "AWS::SQS::Queue"}


def seen_by(function_code: str) -> dict[str, Any]:
    return inline_function(function_code, Environment={"Variables": {"SEEN": {"Ref": "Seen"}}})


def test_a_failing_event_is_tried_three_times_then_sent_to_the_destination(
    laptop_cloud: LaptopCloud, deploy_template: Deploy, received: Received, until: Until
) -> None:
    destination = {"OnFailure": {"Destination": {"Fn::GetAtt": ["Failed", "Arn"]}}}
    invoke_config = {
        "Type": "AWS::Lambda::EventInvokeConfig",
        "Properties": {
            "FunctionName": {"Ref": "Function"},
            "Qualifier": "$LATEST",
            "DestinationConfig": destination,
        },
    }
    outputs = deploy_template(
        "Retry",
        {
            "Seen": queue(),
            "Failed": queue(),
            "Role": role(),
            "Function": seen_by(FAILING),
            "Config": invoke_config,
            "Rule": rule("Function"),
        },
        Seen={"Ref": "Seen"},
        Failed={"Ref": "Failed"},
    ).outputs
    publish = laptop_cloud.client("iot-data").publish
    publish(topic="queue/Function/a", payload=json.dumps({"n": 1, "bad": True}))
    publish(topic="queue/Function/a", payload=json.dumps({"n": 2}))

    (record,) = [json.loads(body) for body in until(lambda: received(outputs["Failed"]))]
    assert record["requestPayload"] == {"n": 1, "bad": True}
    assert record["requestContext"]["condition"] == "RetriesExhausted"
    assert record["requestContext"]["approximateInvokeCount"] == 3
    assert record["responsePayload"]["errorMessage"] == "bad reading"
    attempts = [json.loads(body)["n"] for body in received(outputs["Seen"])]
    assert sorted(attempts) == [1, 1, 1, 2]


def test_a_burst_runs_on_two_workers_and_loses_nothing(
    laptop_cloud: LaptopCloud, deploy_template: Deploy, collected: Collected
) -> None:
    resources = {"Seen": queue(), "Role": role(), "Burst": seen_by(COUNTING), "Rule": rule("Burst")}
    seen = deploy_template("Burst", resources, Seen={"Ref": "Seen"}).outputs["Seen"]
    for number in range(12):
        laptop_cloud.client("iot-data").publish(topic=f"queue/Burst/{number}", payload="{}")
    lines = [body.split() for body in collected(seen, 12)]
    assert len(lines) == 12
    assert len({pid for pid, _, _ in lines}) <= 2
    spans = [(float(start), float(end)) for _, start, end in lines]
    busiest = max(sum(start <= moment < end for start, end in spans) for moment, _ in spans)
    assert busiest <= 2


def test_a_rule_on_a_missing_function_runs_the_error_action(
    laptop_cloud: LaptopCloud, deploy_template: Deploy, received: Received, until: Until
) -> None:
    arn = "arn:aws:lambda:us-east-1:000000000000:function:none-such"
    payload = {
        "Sql": "SELECT * FROM 'missing/+'",
        "Actions": [{"Lambda": {"FunctionArn": arn}}],
        "ErrorAction": {"Sqs": {"QueueUrl": {"Ref": "Failed"}, "RoleArn": {"Fn::GetAtt": ["Role", "Arn"]}}},
    }
    missing = {"Type": "AWS::IoT::TopicRule", "Properties": {"TopicRulePayload": payload}}
    resources = {"Failed": queue(), "Role": role("iot.amazonaws.com"), "Rule": missing}
    failed = deploy_template("Missing", resources, Failed={"Ref": "Failed"}).outputs["Failed"]
    laptop_cloud.client("iot-data").publish(topic="missing/one", payload=b"\xff\x00")
    laptop_cloud.client("iot-data").publish(topic="missing/one", payload='{"n": 1}')
    (document,) = [json.loads(body) for body in until(lambda: received(failed))]
    assert document["failures"][0]["failedAction"] == "LambdaAction"
    assert document["failures"][0]["failedResource"] == arn
    assert document["base64OriginalPayload"] == "eyJuIjogMX0="
