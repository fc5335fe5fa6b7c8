"""Tuning jobs on the laptop cloud run real training jobs and name the best."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from cdk_ml_lens.local import LaptopCloud
from tests.local.conftest import Until
from tests.local.job_support import ROLE, archive, executed, put, training

pytestmark = pytest.mark.laptop_cloud
SCORE = """
    import sys
    given = dict(zip(sys.argv[1::2], sys.argv[2::2]))
    print(f"metric score={(float(given['--rate']) - 0.5) ** 2:.9f}")
    assert 2 <= int(given["--depth"]) <= 4 and given["--kind"] in ("a", "b") and given["--fixed"] == "1"
"""


def tuning(name: str, code: str, *, jobs: int = 3, metric: str = "score", kind: str = "Minimize") -> dict[str, Any]:
    definition = training("any", code, hyperparameters={"fixed": "1"})
    del definition["TrainingJobName"]
    definition["StaticHyperParameters"] = definition.pop("HyperParameters")
    definition["AlgorithmSpecification"]["MetricDefinitions"] = [{"Name": "score", "Regex": "metric score=([0-9.]+)"}]
    ranges = {
        "ContinuousParameterRanges": [
            {"Name": "rate", "MinValue": "0.1", "MaxValue": "0.9", "ScalingType": "Logarithmic"}
        ],
        "IntegerParameterRanges": [{"Name": "depth", "MinValue": "2", "MaxValue": "4"}],
        "CategoricalParameterRanges": [{"Name": "kind", "Values": ["a", "b"]}],
    }
    config = {
        "Strategy": "Bayesian",
        "HyperParameterTuningJobObjective": {"Type": kind, "MetricName": metric},
        "ResourceLimits": {"MaxNumberOfTrainingJobs": jobs, "MaxParallelTrainingJobs": 1},
        "ParameterRanges": ranges,
        "RandomSeed": 1,
    }
    return {
        "HyperParameterTuningJobName": name,
        "HyperParameterTuningJobConfig": config,
        "TrainingJobDefinition": definition,
    }


@pytest.mark.parametrize(("name", "kind", "best"), [("least", "Minimize", min), ("most", "Maximize", max)])
def test_a_state_machine_tunes_and_gets_the_best_training_job(
    name: str, kind: str, best: Any, laptop_cloud: LaptopCloud, until: Until
) -> None:
    code = put(laptop_cloud, "code/score.tar.gz", archive(train=SCORE))
    sync = "sagemaker:createHyperParameterTuningJob.sync"
    done = executed(laptop_cloud, until, sync, tuning(name, code, kind=kind))
    assert done["status"] == "SUCCEEDED", done.get("cause")
    found = json.loads(done["output"])["BestTrainingJob"]
    sagemaker = laptop_cloud.client("sagemaker")
    listed = sagemaker.list_training_jobs_for_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
    values = {
        item["TrainingJobName"]: item["FinalHyperParameterTuningJobObjectiveMetric"]["Value"]
        for item in listed["TrainingJobSummaries"]
    }
    assert len(set(values.values())) == 3
    assert found["TrainingJobName"] == best(values, key=lambda job: values[job])
    shown = sagemaker.describe_training_job(TrainingJobName=found["TrainingJobName"])
    assert shown["HyperParameters"]["rate"] == found["TunedHyperParameters"]["rate"]
    assert shown["ModelArtifacts"]["S3ModelArtifacts"].endswith("model.tar.gz")
    described = sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
    assert described["TrainingJobStatusCounters"]["Completed"] == 3


def test_a_tuning_without_a_success_fails(laptop_cloud: LaptopCloud, until: Until) -> None:
    code = put(laptop_cloud, "code/raises.tar.gz", archive(train="raise ValueError('x')"))
    failed = executed(
        laptop_cloud, until, "sagemaker:createHyperParameterTuningJob.sync", tuning("hopeless", code, jobs=2)
    )
    assert failed["error"] == "States.TaskFailed"
    cause = json.loads(failed["cause"])
    assert (cause["HyperParameterTuningJobStatus"], "BestTrainingJob" in cause) == ("Failed", False)
    assert cause["TrainingJobStatusCounters"]["NonRetryableError"] == 2


def test_a_stopped_tuning_stops_its_training_job(laptop_cloud: LaptopCloud, until: Until) -> None:
    sagemaker = laptop_cloud.client("sagemaker")
    code = put(laptop_cloud, "code/sleep.tar.gz", archive(train="import time; time.sleep(60)"))
    sagemaker.create_hyper_parameter_tuning_job(**tuning("halted", code))
    name = {"HyperParameterTuningJobName": "halted"}
    until(lambda: sagemaker.list_training_jobs_for_hyper_parameter_tuning_job(**name)["TrainingJobSummaries"])
    sagemaker.stop_hyper_parameter_tuning_job(**name)
    described = until(
        lambda: (found := sagemaker.describe_hyper_parameter_tuning_job(**name))["HyperParameterTuningJobStatus"]
        == "Stopped" and found
    )  # fmt: skip
    assert "HyperParameterTuningEndTime" in described
    (job,) = sagemaker.list_training_jobs_for_hyper_parameter_tuning_job(**name)["TrainingJobSummaries"]
    assert job["TrainingJobStatus"] == "Stopped"


def test_the_objective_must_be_a_metric_of_the_job(laptop_cloud: LaptopCloud) -> None:
    with pytest.raises(ClientError, match="objective metric none must be one of"):
        laptop_cloud.client("sagemaker").create_hyper_parameter_tuning_job(
            **tuning("unknown", "s3://x/y", metric="none")
        )


def test_an_automl_job_fails_with_the_reason_instead_of_a_made_up_success(laptop_cloud: LaptopCloud) -> None:
    sagemaker = laptop_cloud.client("sagemaker")
    source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://jobs/x/"}}
    sagemaker.create_auto_ml_job_v2(
        AutoMLJobName="automl", RoleArn=ROLE, OutputDataConfig={"S3OutputPath": "s3://jobs/out"},
        AutoMLJobInputDataConfig=[{"ChannelType": "training", "DataSource": source}],
        AutoMLProblemTypeConfig={"TabularJobConfig": {"TargetAttributeName": "y"}},
    )  # fmt: skip
    shown = sagemaker.describe_auto_ml_job_v2(AutoMLJobName="automl")
    assert (shown["AutoMLJobStatus"], "BestCandidate" in shown) == ("Failed", False)
    assert "has no AutoML" in shown["FailureReason"]
