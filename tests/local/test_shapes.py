"""Shapes on the laptop cloud: shadows get copies, serverless variants have a bound, what is not served is refused."""

from __future__ import annotations

import concurrent.futures
import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from cdk_ml_lens.local import DeployError, LaptopCloud
from tests.local.conftest import Collected, Deploy, Until
from tests.local.sagemaker_support import capture, impatient, invoke, model, stack, variant

pytestmark = pytest.mark.laptop_cloud
Artifact = Callable[..., str]


def captured(cloud: LaptopCloud, prefix: str) -> set[str]:
    """Return the variants that have capture files."""
    found = cloud.client("s3").list_objects_v2(Bucket="models", Prefix=prefix).get("Contents", [])
    return {item["Key"].split("/")[2] for item in found}


def test_shadow_answers_a_copy_that_nobody_sees(
    laptop_cloud: LaptopCloud, deploy_template: Deploy, model_artifact: Artifact, until: Until
) -> None:
    urls = {"Live": model_artifact("live", name="live"), "Next": model_artifact("next", name="next")}
    config = {"DataCaptureConfig": capture(100, "shadowed"), "ShadowProductionVariants": [variant("Next", 1)]}
    deploy_template("Shadowed", stack("shadowed", urls, {"Live": 1}, **config))
    versions = {invoke(laptop_cloud, "shadowed")["Lines"][0]["model_version"] for _ in range(10)}
    assert versions == {"live"}
    until(lambda: captured(laptop_cloud, "shadowed") == {"Live", "Next"})


def test_serverless_variant_refuses_more_than_its_concurrency(
    laptop_cloud: LaptopCloud, deploy_template: Deploy, model_artifact: Artifact
) -> None:
    resources = stack("less", {"Slow": model_artifact("slow", name="slow")}, {"Slow": 1})
    resources["Slow"]["Properties"]["PrimaryContainer"]["Environment"]["FAKE_DELAY"] = "0.3"
    resources["Config"]["Properties"]["ProductionVariants"] = [
        {
            "VariantName": "Slow",
            "ModelName": {"Fn::GetAtt": ["Slow", "ModelName"]},
            "ServerlessConfig": {"MemorySizeInMB": 1024, "MaxConcurrency": 2},
        }
    ]
    deploy_template("Less", resources)

    client = impatient(laptop_cloud)

    def ask(_: int) -> str:
        try:
            client.invoke_endpoint(EndpointName="less", ContentType="text/csv", Body="1,2")
            return "slow"
        except ClientError as error:
            return str(error.response["Error"]["Code"])

    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(ask, range(6)))
    assert "slow" in answers
    assert set(answers) == {"slow", "ThrottlingException"}
    assert ask(0) == "slow"  # and it answers again


def test_asynchronous_answer_and_failure_arrive_in_s3_and_are_told(
    laptop_cloud: LaptopCloud, deploy_template: Deploy, model_artifact: Artifact, collected: Collected
) -> None:
    output = {"S3OutputPath": "s3://models/answers/", "S3FailurePath": "s3://models/failures/"}
    topics = {"SuccessTopic": {"Ref": "Told"}, "ErrorTopic": {"Ref": "Told"}}
    config = {"AsyncInferenceConfig": {"OutputConfig": {**output, "NotificationConfig": topics}}}
    resources = stack("later", {"Later": model_artifact("later", name="later")}, {"Later": 1}, **config)
    resources |= listening_topic()
    queue = deploy_template("Later", resources, Queue={"Ref": "Inbox"}).outputs["Queue"]
    runtime, s3 = laptop_cloud.client("sagemaker-runtime"), laptop_cloud.client("s3")
    for name, row in (("good", "1,2"), ("bad", "500,0")):
        s3.put_object(Bucket="models", Key=f"asked/{name}.csv", Body=row.encode())
        location = f"s3://models/asked/{name}.csv"
        accepted = runtime.invoke_endpoint_async(
            EndpointName="later", ContentType="text/csv", InputLocation=location, InferenceId=name
        )
        assert accepted["ResponseMetadata"]["HTTPStatusCode"] == 202
    told = {note["inferenceId"]: note for note in map(json.loads, collected(queue, 2))}
    assert (told["good"]["invocationStatus"], told["bad"]["invocationStatus"]) == ("Completed", "Failed")
    answer = told["good"]["responseParameters"]["outputLocation"].removeprefix("s3://models/")
    assert json.loads(s3.get_object(Bucket="models", Key=answer)["Body"].read())["score"] == 3.0
    failure = told["bad"]["responseParameters"]["failureLocation"].removeprefix("s3://models/")
    assert s3.get_object(Bucket="models", Key=failure)["Body"].read() == b"refused"


def listening_topic() -> dict[str, Any]:
    """Return a topic whose messages land in a queue as they are."""
    allowed = {
        "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": "*"}],
        "Version": "2012-10-17",
    }
    return {
        "Told": {"Type": "AWS::SNS::Topic"},
        "Inbox": {"Type": "AWS::SQS::Queue"},
        "Open": {
            "Type": "AWS::SQS::QueuePolicy",
            "Properties": {"Queues": [{"Ref": "Inbox"}], "PolicyDocument": allowed},
        },
        "Heard": {
            "Type": "AWS::SNS::Subscription",
            "Properties": {
                "TopicArn": {"Ref": "Told"},
                "Protocol": "sqs",
                "Endpoint": {"Fn::GetAtt": ["Inbox", "Arn"]},
                "RawMessageDelivery": True,
            },
        },
    }


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda made: made["PrimaryContainer"].update(Mode="MultiModel"), "no multi-model ones"),
        (lambda made: made.update(Containers=[made.pop("PrimaryContainer")] * 2), "no inference pipelines"),
    ],
)
def test_shape_that_is_not_served_is_refused(
    change: Callable[[dict[str, Any]], None], message: str, deploy_template: Deploy, model_artifact: Artifact
) -> None:
    resources = stack("refused", {"Many": model_artifact("many")}, {"Many": 1})
    resources["Many"] = model(model_artifact("many"))
    change(resources["Many"]["Properties"])
    with pytest.raises(DeployError, match=message):
        deploy_template("Refused", resources)
