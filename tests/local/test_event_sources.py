"""SQS and Kinesis event sources: batches as large as asked for, partial failure, order, failure records."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from cdk_ml_lens.local import LaptopCloud
from tests.local.conftest import Collected, Deploy, Received, Until
from tests.local.support import inline_function, role

pytestmark = pytest.mark.laptop_cloud
QUEUE = {"Type": "AWS::SQS::Queue"}

PARTIAL = """
    import boto3, json, os
    def handler(event, context):
        bodies = [record["body"] for record in event["Records"]]
        boto3.client("sqs").send_message(QueueUrl=os.environ["SEEN"], MessageBody=json.dumps(bodies))
        failed = [r["messageId"] for r in event["Records"] if r["body"].startswith("bad")]
        for record in event["Records"]:
            if record["body"] == "bad, soon again":
                boto3.client("sqs").change_message_visibility(
                    QueueUrl=os.environ["SOURCE"], ReceiptHandle=record["receiptHandle"], VisibilityTimeout=1)
        return {"batchItemFailures": [{"itemIdentifier": item} for item in failed]}
"""
IN_ORDER = """
    import base64, boto3, json, os
    def handler(event, context):
        rows = [json.loads(base64.b64decode(r["kinesis"]["data"])) for r in event["Records"]]
        keys = [r["kinesis"]["partitionKey"] for r in event["Records"]]
        if any(row.get("bad") for row in rows):
            raise ValueError("poison")
        boto3.client("sqs").send_message(
            QueueUrl=os.environ["SEEN"], MessageBody=json.dumps([[k, row["n"]] for k, row in zip(keys, rows)]))
"""


def mapping(source: dict[str, Any], **properties: Any) -> dict[str, Any]:
    return {
        "Type": "AWS::Lambda::EventSourceMapping",
        "Properties": {"FunctionName": {"Ref": "Function"}, "EventSourceArn": source, **properties},
    }


def sqs_stack(window: int) -> dict[str, Any]:
    redrive = {"deadLetterTargetArn": {"Fn::GetAtt": ["Dead", "Arn"]}, "maxReceiveCount": 2}
    environment = {"Variables": {"SEEN": {"Ref": "Seen"}, "SOURCE": {"Ref": "Source"}}}
    return {
        "Seen": QUEUE,
        "Dead": QUEUE,
        "Source": {
            "Type": "AWS::SQS::Queue",
            "Properties": {"RedrivePolicy": redrive, "VisibilityTimeout": 60},
        },
        "Role": role(),
        "Function": inline_function(PARTIAL, Environment=environment),
        "Mapping": mapping(
            {"Fn::GetAtt": ["Source", "Arn"]},
            BatchSize=100,
            MaximumBatchingWindowInSeconds=window,
            FunctionResponseTypes=["ReportBatchItemFailures"],
            ScalingConfig={"MaximumConcurrency": 2},
        ),
    }


def send(cloud: LaptopCloud, url: str, bodies: list[str]) -> None:
    for start in range(0, len(bodies), 10):
        entries = [{"Id": str(n), "MessageBody": body} for n, body in enumerate(bodies[start : start + 10])]
        cloud.client("sqs").send_message_batch(QueueUrl=url, Entries=entries)


def test_a_batch_of_100_is_gathered_and_only_the_failed_message_comes_back(
    laptop_cloud: LaptopCloud, deploy_template: Deploy, received: Received, collected: Collected
) -> None:
    names = {name: {"Ref": name} for name in ("Seen", "Dead", "Source")}
    outputs = deploy_template("Batches", sqs_stack(window=2), **names).outputs
    good = [f"reading {number}" for number in range(199)]
    send(laptop_cloud, outputs["Source"], [*good, "bad, soon again"])

    dead = collected(outputs["Dead"], 1)
    batches = [json.loads(body) for body in received(outputs["Seen"])]
    assert dead == ["bad, soon again"]
    assert sorted(body for batch in batches for body in batch if body in good) == sorted(good)
    assert sum("bad, soon again" in batch for batch in batches) == 2
    assert len(batches) <= 5  # 2 full ones, then the retry, with room for a window that closes early
    assert max(map(len, batches)) == 100


def kinesis_stack() -> dict[str, Any]:
    action = {
        "Kinesis": {
            "StreamName": {"Ref": "Stream"},
            "PartitionKey": "${topic(2)}",
            "RoleArn": {"Fn::GetAtt": ["Role", "Arn"]},
        }
    }
    payload = {"Sql": "SELECT * FROM 'order/+'", "Actions": [action]}
    return {
        "Seen": QUEUE,
        "Failed": QUEUE,
        "Role": role(),
        "Stream": {"Type": "AWS::Kinesis::Stream", "Properties": {"ShardCount": 1}},
        "Rule": {"Type": "AWS::IoT::TopicRule", "Properties": {"TopicRulePayload": payload}},
        "Function": inline_function(IN_ORDER, Environment={"Variables": {"SEEN": {"Ref": "Seen"}}}),
        "Mapping": mapping(
            {"Fn::GetAtt": ["Stream", "Arn"]},
            StartingPosition="TRIM_HORIZON",
            BatchSize=10,
            MaximumBatchingWindowInSeconds=1,
            MaximumRetryAttempts=1,
            BisectBatchOnFunctionError=True,
            DestinationConfig={"OnFailure": {"Destination": {"Fn::GetAtt": ["Failed", "Arn"]}}},
        ),
    }


def test_a_rule_feeds_kinesis_by_device_and_one_poison_record_costs_only_itself(
    laptop_cloud: LaptopCloud, deploy_template: Deploy, received: Received, collected: Collected, until: Until
) -> None:
    outputs = deploy_template("Order", kinesis_stack(), Seen={"Ref": "Seen"}, Failed={"Ref": "Failed"}).outputs
    for number in range(30):
        reading = {"n": number, "bad": number == 13}
        laptop_cloud.client("iot-data").publish(topic=f"order/device-{number % 2}", payload=json.dumps(reading))
    (failure,) = [json.loads(body) for body in collected(outputs["Failed"], 1)]
    rows: list[Any] = []

    def all_others_came() -> bool:
        rows.extend(row for body in received(outputs["Seen"]) for row in json.loads(body))
        return len(rows) >= 29

    until(all_others_came)

    assert [n for _, n in rows] == [n for n in range(30) if n != 13]  # one shard: order is kept
    assert all(key == f"device-{n % 2}" for key, n in rows)
    assert failure["requestContext"]["condition"] == "RetryAttemptsExhausted"
    assert failure["KinesisBatchInfo"]["batchSize"] == 1


RAW_SQL = (
    "SELECT encode(*, 'base64') AS payload, topic(2) AS device_id, timestamp() AS received_at, "
    "traceid() AS trace_id FROM 'raw/+/telemetry'"
)


@pytest.mark.parametrize("payload", [b'{"n": 1}', b"not json", b"\xff\xfe\x00", b"", b"[1, 2]"])
def test_the_default_sql_keeps_every_byte_of_any_payload(
    payload: bytes, laptop_cloud: LaptopCloud, deploy_template: Deploy, received: Received, until: Until
) -> None:
    action = {"Sqs": {"QueueUrl": {"Ref": "Kept"}, "RoleArn": {"Fn::GetAtt": ["Role", "Arn"]}}}
    rule = {"TopicRulePayload": {"Sql": RAW_SQL, "Actions": [action]}}
    resources = {
        "Kept": QUEUE,
        "Role": role("iot.amazonaws.com"),
        "Rule": {"Type": "AWS::IoT::TopicRule", "Properties": rule},
    }
    kept = deploy_template("Raw", resources, Kept={"Ref": "Kept"}).outputs["Kept"]
    laptop_cloud.client("iot-data").publish(topic="raw/turbine-7/telemetry", payload=payload)
    (event,) = [json.loads(body) for body in until(lambda: received(kept))]
    assert base64.b64decode(event["payload"]) == payload
    assert event["device_id"] == "turbine-7"
    assert event["received_at"] > 1_700_000_000_000
    assert len(event["trace_id"]) == 36
