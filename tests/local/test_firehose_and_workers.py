"""Firehose writes few objects; a Lambda function reaches every service and sees AWS's environment only."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from cdk_ml_lens.local import LaptopCloud
from tests.local.conftest import Deploy, Until
from tests.local.support import inline_function, role

pytestmark = pytest.mark.laptop_cloud

CALLS = """
    import boto3, json, os
    def handler(event, context):
        client = boto3.client
        done = {}
        client("iot-data").publish(topic="from/lambda", payload="{}")
        client("sqs").send_message(QueueUrl=os.environ["QUEUE"], MessageBody="hello")
        client("sns").publish(TopicArn=os.environ["TOPIC"], Message="hello")
        client("firehose").put_record_batch(
            DeliveryStreamName=os.environ["STREAM"],
            Records=[{"Data": json.dumps({"n": n}) + "\\n"} for n in range(50)])
        put = {"Put": {"TableName": os.environ["TABLE"], "Item": {"id": {"S": "1"}, "state": {"S": "done"}},
                       "ConditionExpression": "attribute_not_exists(id)",
                       "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}}
        client("dynamodb").transact_write_items(TransactItems=[put])
        try:
            client("dynamodb").transact_write_items(TransactItems=[put])
        except client("dynamodb").exceptions.TransactionCanceledException as error:
            done["old"] = error.response["CancellationReasons"][0]["Item"]["state"]["S"]
        try:
            client("stepfunctions").describe_state_machine(
                stateMachineArn="arn:aws:states:us-east-1:000000000000:stateMachine:none")
        except Exception as error:
            done["states"] = type(error).__name__
        try:
            client("sagemaker-runtime").invoke_endpoint(EndpointName="none", Body=b"")
        except Exception as error:
            done["runtime"] = error.response["Error"]["Message"]
        done["variables"] = sorted(os.environ)
        return done
"""


def resources(prefix: str, **destination: Any) -> dict[str, Any]:
    environment = {name.upper(): {"Ref": name} for name in ("Queue", "Topic", "Stream", "Table")}
    return {
        "Queue": {"Type": "AWS::SQS::Queue"},
        "Topic": {"Type": "AWS::SNS::Topic"},
        "Bucket": {"Type": "AWS::S3::Bucket"},
        "Table": {
            "Type": "AWS::DynamoDB::Table",
            "Properties": {
                "BillingMode": "PAY_PER_REQUEST",
                "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
                "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
            },
        },
        "Stream": {
            "Type": "AWS::KinesisFirehose::DeliveryStream",
            "Properties": {
                "ExtendedS3DestinationConfiguration": {
                    "BucketARN": {"Fn::GetAtt": ["Bucket", "Arn"]},
                    "RoleARN": {"Fn::GetAtt": ["Role", "Arn"]},
                    "Prefix": prefix,
                    "ErrorOutputPrefix": "errors/!{firehose:error-output-type}/",
                    "BufferingHints": {"IntervalInSeconds": 60, "SizeInMBs": 1},
                    **destination,
                }
            },
        },
        "Role": role(),
        "Function": inline_function(CALLS, Environment={"Variables": environment}),
    }


def objects(cloud: LaptopCloud, bucket: str) -> dict[str, bytes]:
    s3 = cloud.client("s3")
    listed = s3.list_objects_v2(Bucket=bucket).get("Contents", [])
    return {item["Key"]: s3.get_object(Bucket=bucket, Key=item["Key"])["Body"].read() for item in listed}


def names(*logical_ids: str) -> dict[str, Any]:
    return {logical_id: {"Ref": logical_id} for logical_id in logical_ids}


def test_a_function_reaches_every_service_and_sees_no_variable_of_the_server(
    laptop_cloud: LaptopCloud, deploy_template: Deploy
) -> None:
    outputs = deploy_template("Calls", resources("predictions/"), **names("Function")).outputs
    answer = laptop_cloud.client("lambda").invoke(FunctionName=outputs["Function"])
    done = json.loads(answer["Payload"].read())
    assert "FunctionError" not in answer, done
    assert done["old"] == "done"
    assert done["states"] == "StateMachineDoesNotExist"
    assert done["runtime"] == "Endpoint none of account 000000000000 not found."
    assert {"AWS_ENDPOINT_URL", "AWS_REGION", "AWS_LAMBDA_FUNCTION_NAME"} <= set(done["variables"])
    server_only = {"AUTH", "GATEWAY_PORT", "IOT_MTLS_PORT", "MOTO_ACCOUNT_ID", "S3_DATA_DIR", "BIND_HOST"}
    assert not server_only & set(done["variables"])


def put(cloud: LaptopCloud, stream: str, count: int) -> None:
    for number in range(count):
        data = (json.dumps({"n": number}) + "\n").encode()
        cloud.client("firehose").put_record_batch(DeliveryStreamName=stream, Records=[{"Data": data}] * 10)


def test_many_puts_make_few_objects_under_the_date(
    laptop_cloud: LaptopCloud, deploy_template: Deploy, until: Until
) -> None:
    prefix = "predictions/!{timestamp:yyyy/MM/dd}/"
    outputs = deploy_template("Dated", resources(prefix), **names("Stream", "Bucket")).outputs
    put(laptop_cloud, outputs["Stream"], 20)
    lines: Callable[[], list[bytes]] = lambda: b"".join(  # noqa: E731
        objects(laptop_cloud, outputs["Bucket"]).values()
    ).splitlines()
    until(lambda: len(lines()) == 200)
    keys = list(objects(laptop_cloud, outputs["Bucket"]))
    assert len(keys) <= 3
    assert all(key.startswith(f"predictions/{datetime.now(UTC):%Y/%m/%d}/") for key in keys)


def test_compression_is_applied(laptop_cloud: LaptopCloud, deploy_template: Deploy, until: Until) -> None:
    zipped = resources("zipped/", CompressionFormat="GZIP")
    outputs = deploy_template("Zipped", zipped, **names("Stream", "Bucket")).outputs
    put(laptop_cloud, outputs["Stream"], 1)
    ((key, body),) = until(lambda: objects(laptop_cloud, outputs["Bucket"])).items()
    assert key.endswith(".gz")
    assert gzip.decompress(body) == b'{"n": 0}\n' * 10
