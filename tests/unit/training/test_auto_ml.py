"""AutoMl: its job, the loop that waits for it, the candidate's container, refusals, permissions."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam

from cdk_ml_lens import (
    Algorithm,
    AutoMl,
    Evaluation,
    IsolatedNetwork,
    ManagedSpot,
    PropError,
    TrainingImage,
    TrainingIsolation,
    TrainingOptions,
    TrainingResources,
)
from tests.unit.templates import Template
from tests.unit.training.pipeline_support import definition, followers, pipeline

Synth = Callable[[cdk.Stack], Template]


def algorithm(stack: cdk.Stack, **changes: Any) -> Algorithm:
    role = iam.Role(stack, "AutoMlRole", assumed_by=iam.ServicePrincipal("sagemaker.amazonaws.com"))
    wanted = {"role": role, "target": "failed", "problem": "BinaryClassification", "objective": "AUC", **changes}
    return Algorithm.tabular(AutoMl(**wanted), evaluation=Evaluation.anomalies(TrainingImage.sklearn()))


def states(stack: cdk.Stack, synth: Synth, **props: Any) -> dict[str, Any]:
    pipeline(stack, algorithm=algorithm(stack), **props)
    found: dict[str, Any] = definition(synth(stack))["States"]
    return found


def test_minimal_trains_in_ensembling_mode_encrypted_on_train_and_validation(stack: cdk.Stack, synth: Synth) -> None:
    request = states(stack, synth)["StartAutoMl"]["Arguments"]
    assert request["AutoMLProblemTypeConfig"]["TabularJobConfig"] == {
        "TargetAttributeName": "failed",
        "ProblemType": "BinaryClassification",
        "Mode": "ENSEMBLING",
        "CompletionCriteria": {"MaxAutoMLJobRuntimeInSeconds": 7200},
    }
    sources = [channel["DataSource"]["S3DataSource"]["S3Uri"] for channel in request["AutoMLJobInputDataConfig"]]
    assert sources == ["{% $splits.train %}", "{% $splits.validation %}"]
    security = request["SecurityConfig"]
    assert security["VolumeKmsKeyId"] == "arn:aws:kms:eu-west-1:111122223333:key/registry"
    assert security["EnableInterContainerTrafficEncryption"] is True


def test_full_joins_a_network(stack: cdk.Stack, synth: Synth) -> None:
    isolation = TrainingIsolation(network=IsolatedNetwork(stack, "Network"))
    request = states(stack, synth, options=TrainingOptions(isolation=isolation))["StartAutoMl"]["Arguments"]
    assert len(request["SecurityConfig"]["VpcConfig"]["Subnets"]) == 2


def test_the_job_is_waited_for_and_a_pipeline_that_loses_sight_of_it_stops_it(stack: cdk.Stack, synth: Synth) -> None:
    found = states(stack, synth)
    assert followers(found["AutoMlEnded"]) == {"WaitAutoMl", "TakeBest", "AutoMlFailed"}
    assert followers(found["DescribeAutoMl"]) == {"AutoMlEnded", "StopAutoMl"}
    assert followers(found["StopAutoMl"]) == {"Announce"}
    assert found["AutoMlFailed"]["Assign"]["error"] == "TrainFailed"
    for name, state in found.items():
        assert followers(state) <= set(found), name


def test_the_chosen_container_is_registered(stack: cdk.Stack, synth: Synth) -> None:
    found = states(stack, synth)
    payload = found["Register"]["Arguments"]["Payload"]
    assert (payload["image"], payload["environment"]) == ("{% $image %}", "{% $environment %}")
    assert found["TakeBest"]["Assign"]["image"] == "{% $containers[0].Image %}"


def test_machine_handles_automl_jobs_by_prefix_and_the_role_reads_and_writes(stack: cdk.Stack, synth: Synth) -> None:
    pipeline(stack, algorithm=algorithm(stack))
    template = synth(stack)
    machine = template.actions("PipelineMachine")
    assert {"sagemaker:CreateAutoMLJobV2", "sagemaker:StopAutoMLJob"} <= machine
    assert "sagemaker:CreateTrainingJob" not in machine
    name = definition(template)["States"]["Train"]["Assign"]["trainingJob"]
    (prefix,) = re.findall(r"'([a-z0-9-]+)-' &", name)
    assert str(template.statements("PipelineMachine")).count(f"automl-job/{prefix}-*") == 1
    assert {"s3:PutObject", "kms:GenerateDataKey"} <= template.actions("AutoMlRole")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"target": ""}, "target must not be empty"),
        ({"objective": "RMSE"}, "objective must be one of ['Accuracy', 'AUC'"),
        ({"problem": "Forecast"}, "problem must be one of"),
        ({"max_minutes": 5}, "max_minutes must be between 10 and 1440"),
    ],
)
def test_fails_on_what_sagemaker_would_refuse(stack: cdk.Stack, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(PropError, match=re.escape(message)):
        algorithm(stack, **changes)


def test_fails_on_options_that_automl_does_not_have(stack: cdk.Stack) -> None:
    options = TrainingOptions(resources=TrainingResources(spot=ManagedSpot(max_wait_minutes=60)))
    with pytest.raises(PropError, match="options must have no tuning, spot or tracking for algorithm 'auto-ml'"):
        pipeline(stack, algorithm=algorithm(stack), options=options)


def test_nag_is_clean(stack: cdk.Stack, nag: Callable[[cdk.Stack], list[str]]) -> None:
    pipeline(stack, algorithm=algorithm(stack))
    assert nag(stack) == []
