"""Event source mappings at their limits: the size of an event, the age of a record, a role that may not read."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from cdk_ml_lens.local import LaptopCloud
from tests.local.conftest import Collected, Deploy, Until
from tests.local.function_support import ACCOUNT, FAILING, function, queue, role
from tests.local.support import policy

pytestmark = pytest.mark.laptop_cloud
SIZES = """
    import boto3, json, os
    def handler(event, context):
        size = len(json.dumps(event))
        found = json.dumps([len(event["Records"]), size])
        boto3.client("sqs").send_message(QueueUrl=os.environ["SEEN"], MessageBody=found)
"""
LAMBDA_BYTES = 6 * 1024 * 1024


def connected(cloud: LaptopCloud, name: str, source: str, **more: Any) -> None:
    cloud.client("lambda").create_event_source_mapping(FunctionName=name, EventSourceArn=source, **more)


def stream(cloud: LaptopCloud, name: str) -> str:
    """Make a stream with one shard and return its ARN."""
    cloud.client("kinesis").create_stream(StreamName=name, ShardCount=1)
    return f"arn:aws:kinesis:us-east-1:{ACCOUNT}:stream/{name}"


def test_a_batch_of_messages_is_no_larger_than_an_event_may_be(laptop_cloud: LaptopCloud, collected: Collected) -> None:
    sqs = laptop_cloud.client("sqs")
    seen, _ = queue(laptop_cloud, "large-seen")
    source, arn = queue(laptop_cloud, "large-source", VisibilityTimeout="60")
    for _ in range(30):
        sqs.send_message(QueueUrl=source, MessageBody="x" * 250_000)
    function(laptop_cloud, "large", SIZES, seen=seen)
    connected(laptop_cloud, "large", arn, BatchSize=100, MaximumBatchingWindowInSeconds=1)
    batches: list[tuple[int, int]] = []
    while sum(count for count, _ in batches) < 30:
        batches += [tuple(json.loads(body)) for body in collected(seen, 1)]
    assert sum(count for count, _ in batches) == 30
    assert all(size <= LAMBDA_BYTES for _, size in batches)
    assert max(count for count, _ in batches) > 20


def test_a_record_that_is_too_old_is_given_up_without_more_tries(
    laptop_cloud: LaptopCloud, collected: Collected
) -> None:
    failed, arn = queue(laptop_cloud, "too-old")
    source = stream(laptop_cloud, "ages")
    function(laptop_cloud, "ages", FAILING)
    laptop_cloud.client("kinesis").put_record(StreamName="ages", Data=b"{}", PartitionKey="a")
    time.sleep(1.1)
    target = {"OnFailure": {"Destination": arn}}
    connected(
        laptop_cloud, "ages", source, StartingPosition="TRIM_HORIZON", MaximumRecordAgeInSeconds=1,
        DestinationConfig=target,
    )  # fmt: skip
    (record,) = [json.loads(body) for body in collected(failed, 1)]
    assert record["requestContext"]["condition"] == "MaximumRecordAgeExceeded"
    assert record["requestContext"]["approximateInvokeCount"] == 1


POISONED = """
    import base64, boto3, json, os
    def handler(event, context):
        rows = [base64.b64decode(record["kinesis"]["data"]).decode() for record in event["Records"]]
        if "poison" in rows:
            raise ValueError("poison")
        boto3.client("sqs").send_message(QueueUrl=os.environ["SEEN"], MessageBody=json.dumps(rows))
"""


def test_a_poison_record_without_a_destination_is_left_behind(laptop_cloud: LaptopCloud, collected: Collected) -> None:
    seen, _ = queue(laptop_cloud, "after-poison")
    source = stream(laptop_cloud, "poisoned")
    function(laptop_cloud, "poisoned", POISONED, seen=seen)
    kinesis = laptop_cloud.client("kinesis")
    for row in ("poison", "sound"):
        kinesis.put_record(StreamName="poisoned", Data=row.encode(), PartitionKey="a")
    connected(laptop_cloud, "poisoned", source, StartingPosition="TRIM_HORIZON", BatchSize=1, MaximumRetryAttempts=0)
    assert [json.loads(body) for body in collected(seen, 1)] == [["sound"]]


def test_a_mapping_of_a_source_that_is_not_here_leaves_the_others_alone(
    laptop_cloud: LaptopCloud, deploy_template: Deploy, collected: Collected
) -> None:
    seen, _ = queue(laptop_cloud, "beside-kafka")
    source = stream(laptop_cloud, "beside-kafka")
    function(laptop_cloud, "beside-kafka", POISONED, seen=seen)
    brokers = {"Endpoints": {"KafkaBootstrapServers": ["broker.example.org:9092"]}}
    kafka = {"FunctionName": "beside-kafka", "SelfManagedEventSource": brokers, "Topics": ["readings"]}
    deploy_template("Kafka", {"Mapping": {"Type": "AWS::Lambda::EventSourceMapping", "Properties": kafka}})
    connected(laptop_cloud, "beside-kafka", source, StartingPosition="TRIM_HORIZON")
    laptop_cloud.client("kinesis").put_record(StreamName="beside-kafka", Data=b"sound", PartitionKey="a")
    assert [json.loads(body) for body in collected(seen, 1)] == [["sound"]]


READING = (
    "sqs:ReceiveMessage", "sqs:GetQueueAttributes", "sqs:DeleteMessage", "kinesis:DescribeStream",
    "kinesis:DescribeStreamSummary", "kinesis:ListShards", "kinesis:GetShardIterator", "kinesis:GetRecords",
)  # fmt: skip
SEE = """
    import boto3, json, os
    def handler(event, context):
        boto3.client("sqs").send_message(QueueUrl=os.environ["SEEN"], MessageBody=event["Records"][0]["eventSource"])
"""


@pytest.mark.parametrize("kind", ["sqs", "kinesis"])
def test_with_iam_enforced_a_source_is_read_once_the_functions_role_allows_it(
    kind: str, guarded: LaptopCloud, until: Until
) -> None:
    name, sqs, iam = f"reads-{kind}", guarded.client("sqs"), guarded.client("iam")
    seen, arn = queue(guarded, f"{name}-seen")
    function(guarded, name, SEE, role=role(guarded, name, ("sqs:SendMessage", arn)), seen=seen)
    if kind == "sqs":
        url, source = queue(guarded, name)
        sqs.send_message(QueueUrl=url, MessageBody="1")
        connected(guarded, name, source)
    else:
        source = stream(guarded, name)
        guarded.client("kinesis").put_record(StreamName=name, Data=b"1", PartitionKey="a")
        connected(guarded, name, source, StartingPosition="TRIM_HORIZON")
    until(lambda: f"{name}/{name} may not do {kind}:" in denials(guarded))
    assert "Messages" not in sqs.receive_message(QueueUrl=seen)
    document = json.dumps(policy((list(READING), source)))
    iam.put_role_policy(RoleName=name, PolicyName="reading", PolicyDocument=document)
    (message,) = until(lambda: sqs.receive_message(QueueUrl=seen).get("Messages"))
    assert message["Body"] == f"aws:{kind}"


def denials(cloud: LaptopCloud) -> str:
    """Return the lines of the log about what a role may not do."""
    lines = cloud.log.read_text(errors="replace").splitlines()
    return "\n".join(line for line in lines if "AccessDenied" in line)
