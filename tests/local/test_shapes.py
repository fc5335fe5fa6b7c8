"""Shapes on the laptop cloud: shadow, serverless, asynchronous, multi-model, pipeline, inference components."""

from __future__ import annotations

import concurrent.futures
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_s3 as s3
from botocore.exceptions import ClientError

from cdk_ml_lens import (
    Autoscaling,
    ComponentResources,
    InferenceComponent,
    ModelArtifact,
    ModelEndpoint,
    ModelSource,
    MultiModelSource,
    PipelineSource,
    Variant,
)
from cdk_ml_lens.local import LaptopCloud
from tests.local.conftest import Collected, Deploy, Until
from tests.local.sagemaker_support import capture, impatient, invoke, stack, variant

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


def scored(cloud: LaptopCloud, name: str, **more: str) -> Any:
    answer = cloud.client("sagemaker-runtime").invoke_endpoint(
        EndpointName=name, ContentType="text/csv", Accept="text/csv", Body="1,2", **more
    )
    return answer["Body"].read().decode()


@pytest.fixture
def deploy_stack(
    laptop_cloud: LaptopCloud, tmp_path: Path
) -> Callable[[str, Callable[[cdk.Stack, s3.IBucket], object]], None]:
    """Synthesize a stack of our constructs and deploy it."""

    def deploy(name: str, build: Callable[[cdk.Stack, s3.IBucket], object]) -> None:
        app = cdk.App(outdir=str(tmp_path / name))
        made = cdk.Stack(app, name)
        build(made, s3.Bucket.from_bucket_name(made, "Models", "models"))
        laptop_cloud.deploy(Path(app.synth().directory), name)

    return deploy


def test_multi_model_endpoint_loads_what_a_request_names(
    laptop_cloud: LaptopCloud, deploy_stack: Callable[..., None], model_artifact: Artifact
) -> None:
    for name in ("one", "two"):
        model_artifact(f"many/{name}", name=name)

    def build(made: cdk.Stack, bucket: s3.IBucket) -> None:
        model = MultiModelSource(bucket=bucket, prefix="many")
        ModelEndpoint(made, "E", variants=[Variant(name="v", model=model)], endpoint_name="many", capture=None)

    deploy_stack("Many", build)
    for name in ("one", "two"):
        assert json.loads(invoke_named(laptop_cloud, "many", f"{name}.tar.gz"))["model_version"] == name
    with pytest.raises(ClientError, match="Could not load model data"):
        invoke_named(laptop_cloud, "many", "three.tar.gz")
    with pytest.raises(ClientError, match="needs TargetModel"):
        scored(laptop_cloud, "many")


def invoke_named(cloud: LaptopCloud, name: str, target: str) -> str:
    answer = cloud.client("sagemaker-runtime").invoke_endpoint(
        EndpointName=name, ContentType="text/csv", Body="1,2", TargetModel=target
    )
    return str(answer["Body"].read().decode())


def test_pipeline_feeds_each_answer_to_the_next_container(
    laptop_cloud: LaptopCloud, deploy_stack: Callable[..., None], model_artifact: Artifact
) -> None:
    model_artifact("chain", name="chain")

    def build(made: cdk.Stack, bucket: s3.IBucket) -> None:
        stage = ModelSource.sklearn(ModelArtifact.from_bucket(bucket, "chain.tar.gz"))
        first = replace(stage, environment={**stage.environment, "FAKE_SCORE_ONLY": "yes"})
        model = PipelineSource(stages=[first, stage])
        ModelEndpoint(made, "E", variants=[Variant(name="v", model=model)], endpoint_name="chain", capture=None)

    deploy_stack("Chain", build)
    assert scored(laptop_cloud, "chain").startswith("3.0,")  # the sum of 1 and 2, then the sum of that one number


def test_inference_component_answers_by_its_name_on_a_shared_endpoint(
    laptop_cloud: LaptopCloud, deploy_stack: Callable[..., None], model_artifact: Artifact
) -> None:
    model_artifact("component", name="component")

    def build(made: cdk.Stack, bucket: s3.IBucket) -> None:
        scaling = Autoscaling(min_capacity=0, max_capacity=1)
        host = ModelEndpoint(
            made, "E", variants=[Variant(name="v", autoscaling=scaling)], endpoint_name="host", capture=None
        )
        model = ModelSource.sklearn(ModelArtifact.from_bucket(bucket, "component.tar.gz"))
        resources = ComponentResources(memory_mb=256)
        InferenceComponent(made, "C", endpoint=host, model=model, resources=resources, autoscaling=scaling)

    deploy_stack("Host", build)
    listed = laptop_cloud.client("cloudformation").describe_stack_resources(StackName="Host")["StackResources"]
    (arn,) = [r["PhysicalResourceId"] for r in listed if r["ResourceType"] == "AWS::SageMaker::InferenceComponent"]
    assert scored(laptop_cloud, "host", InferenceComponentName=arn.split("/")[-1]).startswith("3.0,")
    with pytest.raises(ClientError, match="InferenceComponentName is missing"):
        scored(laptop_cloud, "host")
    with pytest.raises(ClientError, match="Inference component other not found"):
        scored(laptop_cloud, "host", InferenceComponentName="other")
