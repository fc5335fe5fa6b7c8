"""With enforcement on: IAM for SageMaker, batches and rule roles; loopback traffic counts as TLS."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from cdk_ml_lens.local import LaptopCloud
from tests.local.support import inline_function, policy, role, write_assembly

pytestmark = pytest.mark.laptop_cloud


INVOKE = """
    import boto3
    def handler(event, context):
        try:
            boto3.client("sagemaker-runtime").invoke_endpoint(EndpointName=event["name"], Body=b"")
        except Exception as error:
            return error.response["Error"]["Code"]
"""


def test_a_function_may_invoke_only_the_endpoint_that_its_role_names(guarded: LaptopCloud, tmp_path: Path) -> None:
    document = policy(("sagemaker:InvokeEndpoint", "arn:aws:sagemaker:us-east-1:000000000000:endpoint/mine"))
    resources = {
        "Role": role(Policies=[{"PolicyName": "invoke", "PolicyDocument": document}]),
        "Function": inline_function(INVOKE),
    }
    template = {"Resources": resources, "Outputs": {"Name": {"Value": {"Ref": "Function"}}}}
    name = guarded.deploy(write_assembly(tmp_path, "Invoke", template), "Invoke").outputs["Name"]
    codes = {}
    for endpoint in ("mine", "theirs"):
        answer = guarded.client("lambda").invoke(FunctionName=name, Payload=json.dumps({"name": endpoint}))
        codes[endpoint] = json.loads(answer["Payload"].read())
    assert codes == {"mine": "ValidationError", "theirs": "AccessDeniedException"}  # allowed, but not deployed


@pytest.mark.parametrize(("denied_when", "works"), [("false", True), ("true", False)])
def test_loopback_traffic_counts_as_tls(denied_when: str, works: bool, guarded: LaptopCloud) -> None:
    bucket, s3 = f"tls-{denied_when}", guarded.client("s3")
    s3.create_bucket(Bucket=bucket)
    statement = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": denied_when}},
    }
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    user = as_user(guarded, f"user-{denied_when}", policy(("s3:*", "*")))
    if works:
        user.put_object(Bucket=bucket, Key="a", Body=b"1")
    else:
        with pytest.raises(ClientError, match="AccessDenied"):
            user.put_object(Bucket=bucket, Key="a", Body=b"1")


def as_user(cloud: LaptopCloud, name: str, document: dict[str, Any]) -> Any:
    """Return an S3 client of a new user with the policy ``document``; the root user passes every check."""
    iam = cloud.client("iam")
    iam.create_user(UserName=name)
    iam.put_user_policy(UserName=name, PolicyName="own", PolicyDocument=json.dumps(document))
    keys = iam.create_access_key(UserName=name)["AccessKey"]
    return boto3.client(
        "s3",
        endpoint_url=cloud.endpoint_url,
        region_name=cloud.region,
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        config=Config(s3={"addressing_style": "path"}),
    )


SENDING = """
    import boto3
    def handler(event, context):
        entries = [{"Id": "1", "MessageBody": "hello"}]
        try:
            boto3.client("sqs").send_message_batch(QueueUrl=event["url"], Entries=entries)
        except Exception as error:
            return error.response["Error"]["Code"]
"""


def test_a_batch_of_messages_needs_the_permission_for_one(guarded: LaptopCloud, tmp_path: Path) -> None:
    document = policy(("sqs:SendMessage", "arn:aws:sqs:us-east-1:000000000000:mine"))
    resources: dict[str, Any] = {
        "Role": role(Policies=[{"PolicyName": "send", "PolicyDocument": document}]),
        "Function": inline_function(SENDING),
        **{name: {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": name.lower()}} for name in ("Mine", "Theirs")},
    }
    outputs = {name: {"Value": {"Ref": name}} for name in ("Function", "Mine", "Theirs")}
    template = {"Resources": resources, "Outputs": outputs}
    made = guarded.deploy(write_assembly(tmp_path, "Batch", template), "Batch").outputs
    codes = []
    for name in ("Mine", "Theirs"):
        payload = json.dumps({"url": made[name]})
        answer = guarded.client("lambda").invoke(FunctionName=made["Function"], Payload=payload)
        codes.append(json.loads(answer["Payload"].read()))
    assert codes == [None, "AccessDenied"]


def test_a_rule_does_only_what_its_role_allows(guarded: LaptopCloud, tmp_path: Path) -> None:
    allowed = policy(("sqs:SendMessage", {"Fn::GetAtt": ["Failed", "Arn"]}))

    def sent_to(name: str) -> dict[str, Any]:
        return {"Sqs": {"QueueUrl": {"Ref": name}, "RoleArn": {"Fn::GetAtt": ["Role", "Arn"]}}}

    payload = {"Sql": "SELECT * FROM 'roles/+'", "Actions": [sent_to("Target")], "ErrorAction": sent_to("Failed")}
    resources = {
        "Target": {"Type": "AWS::SQS::Queue"},
        "Failed": {"Type": "AWS::SQS::Queue"},
        "Role": role("iot.amazonaws.com", Policies=[{"PolicyName": "send", "PolicyDocument": allowed}]),
        "Rule": {"Type": "AWS::IoT::TopicRule", "Properties": {"TopicRulePayload": payload}},
    }
    outputs = {name: {"Value": {"Ref": name}} for name in ("Target", "Failed")}
    template = {"Resources": resources, "Outputs": outputs}
    made = guarded.deploy(write_assembly(tmp_path, "Roles", template), "Roles").outputs
    guarded.client("iot-data").publish(topic="roles/one", qos=1, payload='{"n": 1}')
    sqs = guarded.client("sqs")
    (message,) = sqs.receive_message(QueueUrl=made["Failed"], WaitTimeSeconds=5)["Messages"]
    failure = json.loads(message["Body"])["failures"][0]
    assert failure["failedAction"] == "SqsAction"
    assert "must allow sqs:SendMessage on" in failure["errorMessage"]
    assert "Messages" not in sqs.receive_message(QueueUrl=made["Target"])
