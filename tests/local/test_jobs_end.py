"""Whatever goes wrong with a job, it ends: a stopped one is Stopped, and what nobody foresaw is Failed."""

from __future__ import annotations

from typing import Any

import pytest

from cdk_ml_lens.local import LaptopCloud
from tests.local.conftest import Until
from tests.local.job_support import archive, channel, finished, given, processing, put, training

pytestmark = pytest.mark.laptop_cloud


@pytest.fixture(scope="module")
def many(laptop_cloud: LaptopCloud) -> str:
    """Return a prefix whose download takes longer than a request."""
    for number in range(400):
        url = put(laptop_cloud, f"ends/many/{number}.csv", "1")
    return url.rpartition("/")[0] + "/"


def stopped_meanwhile(cloud: LaptopCloud, until: Until, kind: str, request: dict[str, Any]) -> dict[str, Any]:
    """Start a job and stop it while its data is still coming; return its description at the end."""
    sagemaker, name = cloud.client("sagemaker"), request[f"{kind.capitalize()}JobName"]
    getattr(sagemaker, f"create_{kind}_job")(**request)
    getattr(sagemaker, f"stop_{kind}_job")(**{f"{kind.capitalize()}JobName": name})
    return finished(cloud, until, name, kind=kind)


def test_a_training_stopped_before_its_data_turns_out_missing_is_stopped(
    laptop_cloud: LaptopCloud, until: Until, many: str
) -> None:
    channels = [channel("many", many), channel("none", "s3://jobs/ends/none/")]
    request = training("ends-early", put(laptop_cloud, "ends/a.tar.gz", archive(train="")), InputDataConfig=channels)
    job = stopped_meanwhile(laptop_cloud, until, "training", request)
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Stopped", "Stopped")
    assert "FailureReason" not in job


def test_a_processing_stopped_before_its_data_turns_out_missing_is_stopped(
    laptop_cloud: LaptopCloud, until: Until, many: str
) -> None:
    inputs = [given("many", many), given("none", "s3://jobs/ends/none/")]
    request = processing("ends-early", ["true"], ProcessingInputs=inputs)
    job = stopped_meanwhile(laptop_cloud, until, "processing", request)
    assert (job["ProcessingJobStatus"], "FailureReason" in job) == ("Stopped", False)


def test_a_metric_that_cannot_be_searched_for_fails_the_training_with_its_fault(
    laptop_cloud: LaptopCloud, until: Until
) -> None:
    request = training("ends-metric", put(laptop_cloud, "ends/a.tar.gz", archive(train="print('loss=1')")))
    request["AlgorithmSpecification"]["MetricDefinitions"] = [{"Name": "loss", "Regex": "loss=([0-9]+"}]
    laptop_cloud.client("sagemaker").create_training_job(**request)
    job = finished(laptop_cloud, until, "ends-metric")
    assert job["TrainingJobStatus"] == "Failed"
    assert "unterminated subpattern" in job["FailureReason"]


def test_a_processing_input_without_a_place_fails_the_job(laptop_cloud: LaptopCloud, until: Until) -> None:
    nowhere = given("rows", put(laptop_cloud, "ends/rows.csv", "1"))
    del nowhere["S3Input"]["LocalPath"]
    request = processing("ends-place", ["true"], ProcessingInputs=[nowhere])
    laptop_cloud.client("sagemaker").create_processing_job(**request)
    job = finished(laptop_cloud, until, "ends-place", kind="processing")
    assert job["ProcessingJobStatus"] == "Failed"
    assert "LocalPath" in job["FailureReason"]
