"""The collector reads each object and each dead letter once, whoever wrote it."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from cdk_ml_lens.local.demo_accounts import Accounts, DeadLetter
from cdk_ml_lens.local.demo_collect import Collector, dead_letter
from cdk_ml_lens.local.demo_plan import Outgoing, Plan

RAW = b'{"reading_id": "x", \xff'
ENCODED = base64.b64encode(RAW).decode()
MESSAGES = [Outgoing(device_id="d1", body=f"b{n}".encode(), key=f"d1#r{n}") for n in range(30)]


@pytest.fixture
def clients() -> Iterator[dict[str, Any]]:
    with mock_aws():
        yield {name: boto3.client(name, region_name="us-east-1") for name in ("s3", "sqs")}


@pytest.fixture
def outputs(clients: dict[str, Any]) -> dict[str, str]:
    clients["s3"].create_bucket(Bucket="log")
    url = clients["sqs"].create_queue(QueueName="dead")["QueueUrl"]
    return {"PredictionBucketName": "log", "PredictionPrefix": "predictions", "DeadLetterQueueUrl": url}


def accounts() -> Accounts:
    made = Accounts(
        Plan(
            title="t", mode="series", features=("a",), training=[], rows=0, quantile=0.9, outgoing=MESSAGES, windows=[]
        )
    )
    for message in MESSAGES:
        made.publishing(message)
    return made


def line(number: int) -> bytes:
    record = {"prediction_id": f"d1#r{number}", "anomaly": number == 0, "model_version": "v1", "score": 0.5}
    return json.dumps(record).encode() + b"\n"


def envelope(number: int) -> str:
    return json.dumps({"reason": "not_json", "device_id": "d1", "payload": f"b{number}", "payload_base64": None})


def test_records_and_dead_letters_are_read_once(clients: dict[str, Any], outputs: dict[str, str]) -> None:
    s3, sqs, noted = clients["s3"], clients["sqs"], accounts()
    s3.put_object(Bucket="log", Key="predictions/year=2026/1.gz", Body=gzip.compress(line(0) + line(1)))
    s3.put_object(Bucket="log", Key="predictions/year=2026/2", Body=line(2))
    s3.put_object(Bucket="log", Key="capture/3", Body=b"not a prediction")
    for number in range(3, 28):
        sqs.send_message(QueueUrl=outputs["DeadLetterQueueUrl"], MessageBody=envelope(number))
    collector = Collector(client=clients.__getitem__, outputs=outputs, accounts=noted)

    collector.collect()
    collector.collect()

    assert noted.predictions.keys() == {"d1#r0", "d1#r1", "d1#r2"}
    assert noted.anomalies == {"d1#r0"}
    assert len(noted.dead) == 25
    assert (noted.duplicates, noted.unknown) == (0, 0)
    assert noted.lost == {"d1#r28", "d1#r29"}


def test_what_arrives_just_before_the_end_is_still_read(clients: dict[str, Any], outputs: dict[str, str]) -> None:
    noted = accounts()
    collector = Collector(client=clients.__getitem__, outputs=outputs, accounts=noted).start()
    clients["s3"].put_object(Bucket="log", Key="predictions/1", Body=line(7))
    collector.close()

    assert noted.predictions.keys() == {"d1#r7"}


def test_a_failing_collector_tells_its_cause(clients: dict[str, Any], outputs: dict[str, str]) -> None:
    clients["s3"].put_object(Bucket="log", Key="predictions/1", Body=b"no json\n")
    collector = Collector(client=clients.__getitem__, outputs=outputs, accounts=accounts()).start()

    with pytest.raises(json.JSONDecodeError):
        collector.close()


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ({"reason": "bad_encoding", "device_id": "d1", "payload": None, "payload_base64": ENCODED}, "bad_encoding"),
        ({"ruleName": "r", "topic": "site/a/d1/telemetry", "base64OriginalPayload": ENCODED}, "rule_failed"),
        ({"device_id": "d1", "payload": ENCODED, "received_at": 1, "trace_id": "t"}, "never_handled"),
    ],
    ids=["scorer", "rule error action", "redrive"],
)
def test_dead_letters_of_every_writer_are_understood(document: dict[str, Any], reason: str) -> None:
    assert dead_letter(document) == DeadLetter(device_id="d1", body=RAW, reason=reason)
