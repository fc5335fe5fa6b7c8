"""What runs on LocalStack without Docker is driven: events, fan-out, state machines, request validation, key grants."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
import uuid
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.localstack.engine import Emulator
from tests.waiting import until


@pytest.fixture
def name() -> str:
    return f"test-{uuid.uuid4().hex[:8]}"


@pytest.fixture
def queue(emulator: Emulator, name: str) -> tuple[str, str]:
    sqs = emulator.client("sqs")
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    return url, sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]


def first(emulator: Emulator, url: str) -> dict[str, Any]:
    """Return the body of the first message within ten seconds."""
    messages = emulator.client("sqs").receive_message(QueueUrl=url, WaitTimeSeconds=10).get("Messages", [])
    assert messages, "no message"
    body: dict[str, Any] = json.loads(messages[0]["Body"])
    return body


def test_an_object_reaches_a_queue_through_eventbridge(emulator: Emulator, name: str, queue: tuple[str, str]) -> None:
    s3, events = emulator.client("s3"), emulator.client("events")
    s3.create_bucket(Bucket=name)
    s3.put_bucket_notification_configuration(Bucket=name, NotificationConfiguration={"EventBridgeConfiguration": {}})
    pattern = {"source": ["aws.s3"], "detail": {"bucket": {"name": [name]}, "object": {"key": [{"prefix": "raw/"}]}}}
    events.put_rule(Name=name, EventPattern=json.dumps(pattern))
    events.put_targets(Rule=name, Targets=[{"Id": "queue", "Arn": queue[1]}])
    s3.put_object(Bucket=name, Key="other/a.json", Body=b"{}")
    s3.put_object(Bucket=name, Key="raw/b.json", Body=b"{}")
    assert first(emulator, queue[0])["detail"]["object"]["key"] == "raw/b.json"


def test_a_filtered_notification_reaches_a_queue(emulator: Emulator, name: str, queue: tuple[str, str]) -> None:
    sns = emulator.client("sns")
    topic = sns.create_topic(Name=name)["TopicArn"]
    policy = json.dumps({"severity": ["high"]})
    attributes = {"RawMessageDelivery": "true", "FilterPolicy": policy}
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue[1], Attributes=attributes)
    for severity in ("low", "high"):
        sns.publish(
            TopicArn=topic,
            Message=json.dumps({"severity": severity}),
            MessageAttributes={"severity": {"DataType": "String", "StringValue": severity}},
        )
    assert first(emulator, queue[0]) == {"severity": "high"}


@pytest.mark.parametrize(("score", "ended"), [(0.9, "Approved"), (0.2, "Rejected")])
def test_a_state_machine_takes_the_path_of_its_input(emulator: Emulator, name: str, score: float, ended: str) -> None:
    states = {
        "Gate": {
            "Type": "Choice",
            "Choices": [{"Variable": "$.score", "NumericGreaterThanEquals": 0.8, "Next": "Approved"}],
            "Default": "Rejected",
        },
        "Approved": {"Type": "Pass", "Result": "Approved", "End": True},
        "Rejected": {"Type": "Fail", "Error": "Rejected", "Cause": "the score is below the gate"},
    }
    done = executed(emulator, name, {"StartAt": "Gate", "States": states}, {"score": score})
    assert done.get("output", done.get("error", "")).strip('"') == ended
    assert done["status"] == ("SUCCEEDED" if ended == "Approved" else "FAILED")


def test_a_state_machine_claims_a_key_once(emulator: Emulator, name: str) -> None:
    """The claim of the rollout machine: a conditional write, which the second execution loses."""
    emulator.client("dynamodb").create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    claim = {
        "Type": "Task",
        "Resource": "arn:aws:states:::dynamodb:putItem",
        "Parameters": {
            "TableName": name,
            "Item": {"id": {"S.$": "$.id"}},
            "ConditionExpression": "attribute_not_exists(id)",
        },
        "Catch": [{"ErrorEquals": ["DynamoDB.ConditionalCheckFailedException"], "Next": "Taken"}],
        "End": True,
    }
    machine = {"StartAt": "Claim", "States": {"Claim": claim, "Taken": {"Type": "Fail", "Error": "Taken"}}}
    assert executed(emulator, f"{name}-1", machine, {"id": "a"})["status"] == "SUCCEEDED"
    assert executed(emulator, f"{name}-2", machine, {"id": "a"})["error"] == "Taken"


def executed(emulator: Emulator, name: str, definition: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    client = emulator.client("stepfunctions")
    role = f"arn:aws:iam::{emulator.account}:role/any"
    machine = client.create_state_machine(name=name, definition=json.dumps(definition), roleArn=role)
    run = client.start_execution(stateMachineArn=machine["stateMachineArn"], input=json.dumps(given))["executionArn"]
    until(lambda: client.describe_execution(executionArn=run)["status"] != "RUNNING", seconds=20)
    done: dict[str, Any] = client.describe_execution(executionArn=run)
    return done


def test_an_api_refuses_a_body_that_its_model_does_not_allow(emulator: Emulator, name: str) -> None:
    url = validating_api(emulator, name)
    assert until(lambda: posted(url, {"temperature": 20.5}), seconds=20) == 200
    assert posted(url, {"temperature": "hot"}) == 400
    assert posted(url, {}) == 400


def validating_api(emulator: Emulator, name: str) -> str:
    client = emulator.client("apigateway")
    api = client.create_rest_api(name=name)["id"]
    root = client.get_resources(restApiId=api)["items"][0]["id"]
    schema = {"type": "object", "required": ["temperature"], "properties": {"temperature": {"type": "number"}}}
    client.create_model(restApiId=api, name="Reading", contentType="application/json", schema=json.dumps(schema))
    validator = client.create_request_validator(restApiId=api, name="body", validateRequestBody=True)["id"]
    place = {"restApiId": api, "resourceId": root, "httpMethod": "POST"}
    models = {"application/json": "Reading"}
    client.put_method(**place, authorizationType="NONE", requestValidatorId=validator, requestModels=models)
    client.put_integration(**place, type="MOCK", requestTemplates={"application/json": '{"statusCode": 200}'})
    client.put_method_response(**place, statusCode="200")
    client.put_integration_response(**place, statusCode="200")
    client.create_deployment(restApiId=api, stageName="prod")
    return f"{emulator.endpoint_url}/_aws/execute-api/{api}/prod/"


def posted(url: str, body: dict[str, Any]) -> int:
    request = urllib.request.Request(
        url, data=json.dumps(body).encode(), headers={"Content-Type": "application/json"}, method="POST"
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            status: int = answer.status
            return status
    except urllib.error.HTTPError as error:
        return error.code


def test_a_key_keeps_its_grants_and_opens_only_in_the_right_context(emulator: Emulator, name: str) -> None:
    kms = emulator.client("kms")
    key = kms.create_key(Description=name)["KeyMetadata"]["KeyId"]
    grantee = f"arn:aws:iam::{emulator.account}:role/any"
    grant = kms.create_grant(KeyId=key, GranteePrincipal=grantee, Operations=["Decrypt"])["GrantId"]
    (kept,) = kms.list_grants(KeyId=key)["Grants"]
    assert (kept["GrantId"], kept["Operations"]) == (grant, ["Decrypt"])
    sealed = kms.encrypt(KeyId=key, Plaintext=b"reading", EncryptionContext={"device": "a"})["CiphertextBlob"]
    assert kms.decrypt(CiphertextBlob=sealed, EncryptionContext={"device": "a"})["Plaintext"] == b"reading"
    with pytest.raises(ClientError, match="InvalidCiphertext"):
        kms.decrypt(CiphertextBlob=sealed, EncryptionContext={"device": "b"})
    kms.revoke_grant(KeyId=key, GrantId=grant)
    assert kms.list_grants(KeyId=key)["Grants"] == []
