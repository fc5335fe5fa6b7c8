"""Requests to SageMaker on the laptop cloud that it refuses as AWS does: names taken, unknown, wrong, or not here."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

import pytest
from botocore.exceptions import ClientError

from cdk_ml_lens.local import LaptopCloud
from tests.local.job_support import ROLE, processing, training

pytestmark = pytest.mark.laptop_cloud


def automl(name: str) -> dict[str, Any]:
    source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://models/table"}}
    return {
        "AutoMLJobName": name,
        "AutoMLJobInputDataConfig": [{"DataSource": source}],
        "OutputDataConfig": {"S3OutputPath": "s3://models/out"},
        "AutoMLProblemTypeConfig": {"TabularJobConfig": {"TargetAttributeName": "label"}},
        "RoleArn": ROLE,
    }


def test_an_automl_job_fails_with_its_reason_and_never_pretends(laptop_cloud: LaptopCloud) -> None:
    sagemaker = laptop_cloud.client("sagemaker")
    arn = sagemaker.create_auto_ml_job_v2(**automl("Find-Out"))["AutoMLJobArn"]
    assert arn == "arn:aws:sagemaker:us-east-1:000000000000:automl-job/find-out"
    shown = sagemaker.describe_auto_ml_job_v2(AutoMLJobName="Find-Out")
    assert (shown["AutoMLJobStatus"], shown["FailureReason"]) == (
        "Failed",
        "ClientError: the laptop cloud has no AutoML",
    )
    with pytest.raises(sagemaker.exceptions.ResourceInUse, match="names must be unique"):
        sagemaker.create_auto_ml_job_v2(**automl("Find-Out"))
    with pytest.raises(ClientError, match="ValidationException.*in status Failed"):
        sagemaker.stop_auto_ml_job(AutoMLJobName="Find-Out")
    with pytest.raises(sagemaker.exceptions.ResourceNotFound, match="AutoML job none not found"):
        sagemaker.describe_auto_ml_job(AutoMLJobName="none")


@pytest.mark.parametrize("name", ["-begins", "under_score", "improperly-ends-", "x" * 64])
def test_a_job_needs_a_proper_name(name: str, laptop_cloud: LaptopCloud) -> None:
    sagemaker = laptop_cloud.client("sagemaker")
    with pytest.raises(ClientError, match=f"TrainingJobName must have up to 63 letters, digits, -, got '{name}'"):
        sagemaker.create_training_job(**training(name, "s3://models/none"))
    with pytest.raises(ClientError, match=f"ProcessingJobName must .* got '{name}'"):
        sagemaker.create_processing_job(**processing(name, ["true"]))
    assert sagemaker.list_training_jobs(NameContains=name)["TrainingJobSummaries"] == []


def test_an_operation_that_is_not_here_is_named(laptop_cloud: LaptopCloud) -> None:
    with pytest.raises(ClientError, match="NotImplemented.*laptop cloud has no sagemaker:CreateEdgePackagingJob"):
        laptop_cloud.client("sagemaker").create_edge_packaging_job(
            EdgePackagingJobName="e", CompilationJobName="c", ModelName="m", ModelVersion="1", RoleArn=ROLE,
            OutputConfig={"S3OutputLocation": "s3://models/edge"},
        )  # fmt: skip


def test_an_endpoint_that_is_not_there_is_named_whatever_is_asked_of_it(laptop_cloud: LaptopCloud) -> None:
    sagemaker, runtime = laptop_cloud.client("sagemaker"), laptop_cloud.client("sagemaker-runtime")
    weights = [{"VariantName": "v", "DesiredWeight": 1}]
    for ask in (
        lambda: sagemaker.delete_endpoint(EndpointName="none"),
        lambda: sagemaker.update_endpoint(EndpointName="none", EndpointConfigName="none"),
        lambda: sagemaker.update_endpoint_weights_and_capacities(
            EndpointName="none", DesiredWeightsAndCapacities=weights
        ),
    ):
        with pytest.raises(ClientError, match='Could not find endpoint "none"'):
            ask()
    with pytest.raises(ClientError, match="Endpoint none not found, or it has no async-invocations"):
        runtime.invoke_endpoint_async(EndpointName="none", InputLocation="s3://models/x")
    with pytest.raises(ClientError, match="Endpoint none not found, or it has no invocations-response-stream"):
        runtime.invoke_endpoint_with_response_stream(EndpointName="none", Body=b"1")


def test_a_body_that_cannot_be_read_is_the_callers_error(laptop_cloud: LaptopCloud) -> None:
    request = urllib.request.Request(
        laptop_cloud.endpoint_url,
        data=b'{"TrainingJobName": ',
        headers={
            "X-Amz-Target": "SageMaker.DescribeTrainingJob",
            "Content-Type": "application/x-amz-json-1.1",
            "Authorization": "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/sagemaker/aws4_request",
        },
    )
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request)
    assert (caught.value.code, json.loads(caught.value.read())["__type"]) == (400, "SerializationException")
