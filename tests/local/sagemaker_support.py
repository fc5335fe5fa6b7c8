"""SageMaker templates and calls for the tests of the laptop cloud."""

from __future__ import annotations

import json
from typing import Any

import boto3
from botocore.config import Config

from cdk_ml_lens.local import LaptopCloud
from tests.local.support import role


def model(url: str) -> dict[str, Any]:
    container = {"Image": "any", "ModelDataUrl": url, "Environment": {"SAGEMAKER_PROGRAM": "inference.py"}}
    return {
        "Type": "AWS::SageMaker::Model",
        "Properties": {"ExecutionRoleArn": {"Fn::GetAtt": ["Role", "Arn"]}, "PrimaryContainer": container},
    }


def variant(name: str, weight: float) -> dict[str, Any]:
    return {
        "VariantName": name,
        "ModelName": {"Fn::GetAtt": [name, "ModelName"]},
        "InitialInstanceCount": 1,
        "InstanceType": "ml.m7i.large",
        "InitialVariantWeight": weight,
    }


def capture(percent: int, prefix: str) -> dict[str, Any]:
    return {
        "EnableCapture": True,
        "InitialSamplingPercentage": percent,
        "DestinationS3Uri": f"s3://models/{prefix}",
        "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
        "CaptureContentTypeHeader": {"CsvContentTypes": ["text/csv"]},
    }


def stack(name: str, models: dict[str, str], weights: dict[str, float], **config: Any) -> dict[str, Any]:
    return {
        "Role": role("sagemaker.amazonaws.com"),
        **{key: model(url) for key, url in models.items()},
        "Config": {
            "Type": "AWS::SageMaker::EndpointConfig",
            "Properties": {"ProductionVariants": [variant(key, value) for key, value in weights.items()], **config},
        },
        "Endpoint": {
            "Type": "AWS::SageMaker::Endpoint",
            "Properties": {
                "EndpointName": name,
                "EndpointConfigName": {"Fn::GetAtt": ["Config", "EndpointConfigName"]},
            },
        },
    }


def invoke(cloud: LaptopCloud, name: str, body: str = "1,2\n3,4", **more: str) -> dict[str, Any]:
    runtime = cloud.client("sagemaker-runtime")
    answer: dict[str, Any] = runtime.invoke_endpoint(
        EndpointName=name, Body=body, ContentType="text/csv", Accept="application/jsonlines", **more
    )
    answer["Lines"] = [json.loads(line) for line in answer["Body"].read().splitlines()]
    return answer


def impatient(cloud: LaptopCloud) -> Any:
    """Return a SageMaker Runtime client of the cloud that asks once, so that every answer is seen."""
    client: Any = boto3.client
    credentials = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": cloud.region}
    config = Config(retries={"total_max_attempts": 1}, read_timeout=10)
    return client("sagemaker-runtime", endpoint_url=cloud.endpoint_url, config=config, **credentials)
