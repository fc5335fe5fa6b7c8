"""InvokeEndpoint beyond the plain answer: attributes, no weights, a failing shadow, asynchronous requests that fail."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from cdk_ml_lens.local import LaptopCloud
from tests.local.conftest import Collected, Deploy, Until
from tests.local.sagemaker_support import capture, invoke, stack, variant

pytestmark = pytest.mark.laptop_cloud
Artifact = Callable[..., str]


def captured(cloud: LaptopCloud, prefix: str) -> list[dict[str, Any]]:
    """Return every record that was captured below a prefix."""
    s3 = cloud.client("s3")
    listed = s3.list_objects_v2(Bucket="models", Prefix=prefix).get("Contents", [])
    bodies = [s3.get_object(Bucket="models", Key=item["Key"])["Body"].read() for item in listed]
    return [json.loads(line) for body in bodies for line in body.splitlines()]


def calls(cloud: LaptopCloud, endpoint: str, name: str, metric: str = "Invocations") -> float:
    """Return how often a variant was called."""
    now = datetime.now(UTC)
    points = cloud.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/SageMaker", MetricName=metric, Period=3600, Statistics=["Sum"],
        Dimensions=[{"Name": "EndpointName", "Value": endpoint}, {"Name": "VariantName", "Value": name}],
        StartTime=now - timedelta(minutes=10), EndTime=now + timedelta(minutes=1),
    )["Datapoints"]  # fmt: skip
    return float(sum(point["Sum"] for point in points))


def test_custom_attributes_come_back_and_are_captured(
    laptop_cloud: LaptopCloud, deploy_template: Deploy, model_artifact: Artifact, until: Until
) -> None:
    config = {"DataCaptureConfig": capture(100, "attributes")}
    deploy_template(
        "Attributed", stack("attributed", {"Only": model_artifact("only", name="m")}, {"Only": 1}, **config)
    )
    assert invoke(laptop_cloud, "attributed", CustomAttributes="trace=7")["CustomAttributes"] == "trace=7"
    (record,) = until(lambda: captured(laptop_cloud, "attributes/"))
    assert record["eventMetadata"]["customAttributes"] == ["trace=7"]


def test_with_every_weight_at_zero_the_first_variant_answers(
    laptop_cloud: LaptopCloud, deploy_template: Deploy, model_artifact: Artifact
) -> None:
    urls = {"First": model_artifact("first", name="1"), "Second": model_artifact("second", name="2")}
    deploy_template("Weightless", stack("weightless", urls, {"First": 0, "Second": 0}))
    answered = {invoke(laptop_cloud, "weightless")["InvokedProductionVariant"] for _ in range(5)}
    assert answered == {"First"}


def test_a_shadow_that_fails_takes_its_share_and_is_neither_seen_nor_captured(
    laptop_cloud: LaptopCloud, deploy_template: Deploy, model_artifact: Artifact, until: Until
) -> None:
    urls = {"Live": model_artifact("live-ok", name="live"), "Next": model_artifact("next-bad", name="next")}
    config = {"DataCaptureConfig": capture(100, "shady"), "ShadowProductionVariants": [variant("Next", 1)]}
    resources = stack("shady", urls, {"Live": 2}, **config)
    resources["Next"]["Properties"]["PrimaryContainer"]["Environment"]["FAKE_FAILS"] = "yes"
    deploy_template("Shady", resources)
    versions = [invoke(laptop_cloud, "shady")["Lines"][0]["model_version"] for _ in range(60)]
    assert versions == ["live"] * 60
    until(lambda: len(captured(laptop_cloud, "shady/")) == 60)
    failed = until(lambda: calls(laptop_cloud, "shady", "Next", "Invocation5XXErrors"))
    assert 10 <= failed <= 50  # 30 expected; five standard deviations are 20
    assert captured(laptop_cloud, "shady/shady/Next/") == []


def test_an_endpoint_that_answers_at_once_takes_no_asynchronous_request(
    laptop_cloud: LaptopCloud, deploy_template: Deploy, model_artifact: Artifact
) -> None:
    deploy_template("Prompt", stack("prompt", {"Only": model_artifact("prompt", name="m")}, {"Only": 1}))
    with pytest.raises(ClientError, match="Endpoint prompt is not asynchronous"):
        laptop_cloud.client("sagemaker-runtime").invoke_endpoint_async(
            EndpointName="prompt", InputLocation="s3://models/any.csv"
        )


def test_an_asynchronous_request_whose_input_is_missing_is_told_as_failed(
    laptop_cloud: LaptopCloud, deploy_template: Deploy, model_artifact: Artifact, collected: Collected, until: Until
) -> None:
    sqs, sns, s3 = (laptop_cloud.client(name) for name in ("sqs", "sns", "s3"))
    queue = sqs.create_queue(QueueName="async-failed")["QueueUrl"]
    topic = sns.create_topic(Name="async-failed")["TopicArn"]
    target = "arn:aws:sqs:us-east-1:000000000000:async-failed"
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=target, Attributes={"RawMessageDelivery": "true"})
    output = {"S3OutputPath": "s3://models/late/", "NotificationConfig": {"ErrorTopic": topic}}
    config = {"AsyncInferenceConfig": {"OutputConfig": output}}
    deploy_template("Late", stack("late", {"Only": model_artifact("late", name="m")}, {"Only": 1}, **config))
    runtime = laptop_cloud.client("sagemaker-runtime")
    runtime.invoke_endpoint_async(EndpointName="late", InputLocation="s3://models/none.csv", InferenceId="lost")
    s3.put_object(Bucket="models", Key="asked.csv", Body=b"1,2")
    runtime.invoke_endpoint_async(EndpointName="late", InputLocation="s3://models/asked.csv", ContentType="text/csv")

    (note,) = [json.loads(body) for body in collected(queue, 1)]
    assert (note["inferenceId"], note["invocationStatus"]) == ("lost", "Failed")
    assert "404" in note["failureReason"] or "NoSuchKey" in note["failureReason"]
    (answer,) = until(lambda: s3.list_objects_v2(Bucket="models", Prefix="late/").get("Contents"))
    assert json.loads(s3.get_object(Bucket="models", Key=answer["Key"])["Body"].read())["score"] == 3.0
    runtime.invoke_endpoint_async(EndpointName="late", InputLocation="s3://models/none.csv", InferenceId="lost too")
    notes = [json.loads(body)["inferenceId"] for body in collected(queue, 1)]
    assert notes == ["lost too"]  # the success has no topic here
