"""Window features with IAM enforced: features of real messages, and no grant of the scorer that is not needed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_sqs as sqs

from cdk_ml_lens import (
    FeatureSet,
    Ingestion,
    ModelEndpoint,
    Normalisation,
    NormalisationArtifact,
    NotifyTopic,
    RuleSql,
    Scoring,
    ScoringRule,
    Sensor,
)
from cdk_ml_lens.local import LaptopCloud
from tests.local.support import empty_artifact, endpoint_resources, write_assembly

pytestmark = pytest.mark.laptop_cloud
BUCKET, KEY = "window-artifacts", "normalisation/abc.json"
PARAMETERS = {"version": "abc", "method": "standard", "all": {"temperature": [1000.0, 2.0]}, "devices": {}}


def stack(app: cdk.App) -> cdk.Stack:
    """One rule without retries, whose every alert lands in a queue."""
    made = cdk.Stack(app, "Windows")
    alerts = NotifyTopic(made, "Alerts")
    inbox = sqs.Queue(made, "AlertQueue")
    alerts.topic.add_subscription(subscriptions.SqsSubscription(inbox, raw_message_delivery=True))
    features = FeatureSet.standard(
        sensors=[Sensor(name="temperature", maximum=9000)], normalisation=Normalisation(method="standard")
    )
    rule = ScoringRule(
        made,
        "Rule",
        sql=RuleSql(topic_filter="windows/+/telemetry"),
        scoring=Scoring(
            endpoint=ModelEndpoint.from_endpoint_name(made, "windowed"),
            features=features,
            normalisation=NormalisationArtifact(bucket=s3.Bucket.from_bucket_name(made, "B", BUCKET), key=KEY),
        ),
        ingestion=Ingestion.direct(retries=0),
        actions=[alerts],
    )
    outputs = {
        "Inbox": inbox.queue_url,
        "DeadLetters": rule.dead_letters.queue.queue_url,
        "Role": rule.scorer.role.role_name,
    }
    for name, value in outputs.items():
        cdk.CfnOutput(made, name, value=value)
    return made


@pytest.fixture(scope="module")
def outputs(guarded: LaptopCloud, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    store = guarded.client("s3")
    store.create_bucket(Bucket="models")
    store.create_bucket(Bucket=BUCKET)
    store.put_object(Bucket=BUCKET, Key=KEY, Body=json.dumps(PARAMETERS).encode())
    store.put_object(Bucket="models", Key="windowed.tar.gz", Body=empty_artifact())
    model = {"Resources": endpoint_resources("windowed", "s3://models/windowed.tar.gz")}
    guarded.deploy(write_assembly(tmp_path_factory.mktemp("model"), "WindowModel", model), "WindowModel")
    app = cdk.App(outdir=str(tmp_path_factory.mktemp("windows")))
    stack(app)
    found: dict[str, str] = guarded.deploy(Path(app.synth().directory), "Windows").outputs
    return found


class Line:
    """The devices' line to the cloud, and what comes out at its ends."""

    def __init__(self, cloud: LaptopCloud, outputs: dict[str, str], until: Callable[..., Any]) -> None:
        self.cloud, self.outputs, self.until = cloud, outputs, until
        self.start = datetime.now(UTC) - timedelta(minutes=20)

    def publish(self, device: str, *readings: tuple[float, Any]) -> None:
        for second, temperature in readings:
            made = (self.start + timedelta(seconds=second)).isoformat(timespec="milliseconds")
            body = {"reading_id": f"r{second}", "timestamp": made, "temperature": temperature}
            topic = f"windows/{device}/telemetry"
            self.cloud.client("iot-data").publish(topic=topic, qos=1, payload=json.dumps(body).encode())

    def take(self, queue: str) -> dict[str, Any]:
        client, url = self.cloud.client("sqs"), self.outputs[queue]
        (message,) = self.until(lambda: client.receive_message(QueueUrl=url).get("Messages"), seconds=40)
        client.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        found: dict[str, Any] = json.loads(message["Body"])
        return found

    @contextmanager
    def without(self, action: str) -> Iterator[None]:
        """Take one statement out of the scorer's policy."""
        iam, role = self.cloud.client("iam"), self.outputs["Role"]
        (name,) = iam.list_role_policies(RoleName=role)["PolicyNames"]
        document = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
        kept = [s for s in document["Statement"] if not covers(s, action)]
        assert len(kept) == len(document["Statement"]) - 1
        try:
            changed = json.dumps({**document, "Statement": kept})
            iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=changed)
            yield
        finally:
            iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(document))


def covers(statement: dict[str, Any], action: str) -> bool:
    actions = statement["Action"]
    return action in ([actions] if isinstance(actions, str) else actions)


@pytest.fixture(scope="module")
def line(guarded: LaptopCloud, outputs: dict[str, str], until: Callable[..., Any]) -> Line:
    return Line(guarded, outputs, until)


def test_without_the_grant_of_the_artifact_no_reading_is_scored(line: Line) -> None:
    with line.without("s3:GetObject"):
        line.publish("a", (0, 5000))
        letter = line.take("DeadLetters")
    assert (letter["reason"], letter["detail"]) == ("attempts_exhausted", "window: AccessDenied")


def test_without_the_grant_of_the_table_no_reading_is_scored(line: Line) -> None:
    with line.without("dynamodb:Query"):
        line.publish("b", (0, 5000))
        letter = line.take("DeadLetters")
    assert (letter["reason"], letter["detail"]) == ("attempts_exhausted", "window: AccessDeniedException")


def test_features_of_real_messages_are_those_of_their_window(line: Line) -> None:
    line.publish("c", (0, 5000))
    first = line.take("Inbox")["features"]
    line.publish("c", (60, 7000))
    second = line.take("Inbox")["features"]
    assert list(first.values()) == [2000.0, 2000.0, 0.0, 2000.0, 2000.0, 0.0, 3600.0]
    assert second["temperature"] == 3000.0
    assert second["temperature_mean_300s"] == 2500.0
    assert second["temperature_std_300s"] == pytest.approx(500 * 2**0.5, rel=1e-12)
    assert second["temperature_rate_3600s"] == pytest.approx(60_000, rel=1e-12)
    assert second["seconds_since_last_reading"] == 60.0


def test_a_duplicate_and_a_value_out_of_range_are_dead_lettered(line: Line) -> None:
    line.publish("d", (0, 5000))
    assert line.take("Inbox")["reading_id"] == "r0"
    line.publish("d", (0, 6000), (1, 9001))
    assert sorted(line.take("DeadLetters")["reason"] for _ in range(2)) == ["duplicate", "out_of_range"]
