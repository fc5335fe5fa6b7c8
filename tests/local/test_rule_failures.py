"""IoT rule actions that fail tell the error action why; values that a message lacks are undefined."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from cdk_ml_lens.local import LaptopCloud
from tests.local.conftest import Collected, Until
from tests.local.function_support import queue
from tests.local.job_support import ROLE

pytestmark = pytest.mark.laptop_cloud
Failure = Callable[..., dict[str, Any]]


def rule(cloud: LaptopCloud, name: str, action: dict[str, Any], **more: Any) -> None:
    payload = {"sql": f"SELECT * FROM '{name}/+'", "actions": [action], "awsIotSqlVersion": "2016-03-23", **more}
    cloud.client("iot").create_topic_rule(ruleName=name, topicRulePayload=payload)


@pytest.fixture
def failure(laptop_cloud: LaptopCloud, collected: Collected) -> Failure:
    """Return a function that sends a message to a rule with one action and returns what the error action gets."""

    def provoke(name: str, action: dict[str, Any]) -> dict[str, Any]:
        url, _ = queue(laptop_cloud, f"{name}-failed")
        rule(laptop_cloud, name, action, errorAction={"sqs": {"queueUrl": url, "roleArn": ROLE}})
        laptop_cloud.client("iot-data").publish(topic=f"{name}/one", qos=1, payload='{"n": 1}')
        (document,) = [json.loads(body) for body in collected(url, 1)]
        (found,) = document["failures"]
        return dict(found)

    return provoke


def test_an_action_that_is_unknown_here_fails_by_its_name(failure: Failure) -> None:
    metric = {"metricNamespace": "n", "metricName": "m", "metricValue": "1", "metricUnit": "None", "roleArn": ROLE}
    found = failure("measured", {"cloudwatchMetric": metric})
    assert "the laptop cloud has no IoT rule action 'cloudwatchMetric'" in found["errorMessage"]


@pytest.mark.parametrize(
    ("name", "action", "said"),
    [
        ("nobucket", {"s3": {"bucketName": "no-such-bucket", "key": "k", "roleArn": ROLE}}, "NoSuchBucket"),
        ("nostream", {"kinesis": {"streamName": "none-such", "partitionKey": "k", "roleArn": ROLE}}, "PutRecord"),
        ("nodelivery", {"firehose": {"deliveryStreamName": "none-such", "roleArn": ROLE}}, "PutRecordBatch"),
    ],
)
def test_a_target_that_is_gone_is_told(name: str, action: dict[str, Any], said: str, failure: Failure) -> None:
    message = failure(name, action)["errorMessage"]
    assert said in message
    assert ("no-such-bucket" if name == "nobucket" else "none-such") in message


def test_a_template_of_a_value_that_the_message_lacks_is_undefined(laptop_cloud: LaptopCloud, until: Until) -> None:
    s3 = laptop_cloud.client("s3")
    s3.create_bucket(Bucket="rule-keys")
    key = "${site}/${place.row}/${topic(2)}.json"
    rule(laptop_cloud, "keyed", {"s3": {"bucketName": "rule-keys", "key": key, "roleArn": ROLE}})
    laptop_cloud.client("iot-data").publish(topic="keyed/unit-7", qos=1, payload='{"place": {"row": 3}}')
    (item,) = until(lambda: s3.list_objects_v2(Bucket="rule-keys").get("Contents"))
    assert item["Key"] == "undefined/3/unit-7.json"
