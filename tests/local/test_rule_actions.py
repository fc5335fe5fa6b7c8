"""IoT rule actions beyond MiniStack's own: Firehose, S3 as error action; partial replay of a stream."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from cdk_ml_lens.local import LaptopCloud
from tests.local.conftest import Collected, Deploy, Until
from tests.local.support import inline_function, role

pytestmark = pytest.mark.laptop_cloud
ROLE = {"Fn::GetAtt": ["Role", "Arn"]}
HALF_DONE = """
    import base64, boto3, json, os
    FAILED = set()
    def handler(event, context):
        rows = [json.loads(base64.b64decode(r["kinesis"]["data"]))["n"] for r in event["Records"]]
        boto3.client("sqs").send_message(QueueUrl=os.environ["SEEN"], MessageBody=json.dumps(rows))
        if 5 in rows and not FAILED:
            FAILED.add(5)
            failed = event["Records"][rows.index(5)]["kinesis"]["sequenceNumber"]
            return {"batchItemFailures": [{"itemIdentifier": failed}]}
        return {"batchItemFailures": []}
"""


def rule(topic: str, action: dict[str, Any], **more: Any) -> dict[str, Any]:
    payload = {"Sql": f"SELECT * FROM '{topic}/+'", "Actions": [action], **more}
    return {"Type": "AWS::IoT::TopicRule", "Properties": {"TopicRulePayload": payload}}


def objects(cloud: LaptopCloud, bucket: str) -> dict[str, bytes]:
    s3 = cloud.client("s3")
    listed = s3.list_objects_v2(Bucket=bucket).get("Contents", [])
    return {item["Key"]: s3.get_object(Bucket=bucket, Key=item["Key"])["Body"].read() for item in listed}


def test_a_rule_feeds_firehose_with_its_separator(
    laptop_cloud: LaptopCloud, deploy_template: Deploy, until: Until
) -> None:
    destination = {"BucketARN": {"Fn::GetAtt": ["Bucket", "Arn"]}, "RoleARN": ROLE, "Prefix": "raw/"}
    resources = {
        "Bucket": {"Type": "AWS::S3::Bucket"},
        "Role": role("iot.amazonaws.com"),
        "Stream": {
            "Type": "AWS::KinesisFirehose::DeliveryStream",
            "Properties": {"ExtendedS3DestinationConfiguration": destination},
        },
        "Rule": rule(
            "raw", {"Firehose": {"DeliveryStreamName": {"Ref": "Stream"}, "RoleArn": ROLE, "Separator": "\n"}}
        ),
    }
    bucket = deploy_template("RawLog", resources, Bucket={"Ref": "Bucket"}).outputs["Bucket"]
    for number in range(5):
        laptop_cloud.client("iot-data").publish(topic="raw/a", qos=1, payload=json.dumps({"n": number}))
    until(lambda: sum(len(body.splitlines()) for body in objects(laptop_cloud, bucket).values()) == 5)
    lines = [json.loads(line) for body in objects(laptop_cloud, bucket).values() for line in body.splitlines()]
    assert [line["n"] for line in lines] == [0, 1, 2, 3, 4]


def test_a_failing_action_leaves_the_error_document_in_s3(
    laptop_cloud: LaptopCloud, deploy_template: Deploy, until: Until
) -> None:
    error = {"S3": {"BucketName": {"Ref": "Bucket"}, "Key": "errors/${topic(2)}.json", "RoleArn": ROLE}}
    missing = {"Kinesis": {"StreamName": "none-such", "PartitionKey": "${topic(2)}", "RoleArn": ROLE}}
    resources = {
        "Bucket": {"Type": "AWS::S3::Bucket"},
        "Role": role("iot.amazonaws.com"),
        "Rule": rule("fails", missing, ErrorAction=error),
    }
    bucket = deploy_template("ErrorLog", resources, Bucket={"Ref": "Bucket"}).outputs["Bucket"]
    laptop_cloud.client("iot-data").publish(topic="fails/unit-7", qos=1, payload='{"n": 1}')
    ((key, body),) = until(lambda: objects(laptop_cloud, bucket)).items()
    assert key == "errors/unit-7.json"
    document = json.loads(body)
    assert document["failures"][0]["failedAction"] == "KinesisAction"
    assert document["failures"][0]["failedResource"] == "none-such"
    assert base64.b64decode(document["base64OriginalPayload"]) == b'{"n": 1}'


def test_a_partly_failed_stream_batch_is_replayed_from_the_failed_record_on(
    laptop_cloud: LaptopCloud, deploy_template: Deploy, collected: Collected
) -> None:
    mapping = {
        "FunctionName": {"Ref": "Function"},
        "EventSourceArn": {"Fn::GetAtt": ["Stream", "Arn"]},
        "StartingPosition": "TRIM_HORIZON",
        "BatchSize": 10,
        "MaximumBatchingWindowInSeconds": 5,
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
    }
    resources = {
        "Seen": {"Type": "AWS::SQS::Queue"},
        "Role": role(),
        "Stream": {"Type": "AWS::Kinesis::Stream", "Properties": {"ShardCount": 1}},
        "Function": inline_function(HALF_DONE, Environment={"Variables": {"SEEN": {"Ref": "Seen"}}}),
        "Mapping": {"Type": "AWS::Lambda::EventSourceMapping", "Properties": mapping},
    }
    outputs = deploy_template("Replay", resources, Seen={"Ref": "Seen"}, Stream={"Ref": "Stream"}).outputs
    records = [{"Data": json.dumps({"n": number}).encode(), "PartitionKey": "one"} for number in range(10)]
    laptop_cloud.client("kinesis").put_records(StreamName=outputs["Stream"], Records=records)
    batches = [json.loads(body) for body in collected(outputs["Seen"], 2)]
    assert batches == [list(range(10)), list(range(5, 10))]
