"""Rules on jobs, wherever they are written: state machines, pipelines, definitions of monitors."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.unit.review.machines import machine, pipeline
from tests.unit.review.reports import findings

ONE = {"InstanceType": "ml.m5.large", "InstanceCount": 1}
TWO = {"InstanceType": "ml.m5.large", "InstanceCount": 2}
TRAIN, TUNE = "sagemaker:createTrainingJob.sync", "sagemaker:createHyperParameterTuningJob.sync"
PROCESS, AUTOML = "sagemaker:createProcessingJob.sync", "aws-sdk:sagemaker:createAutoMLJobV2"
TRANSFORM = "sagemaker:createTransformJob.sync"
ENCRYPTED = {"EnableInterContainerTrafficEncryption": True}


@pytest.mark.parametrize(
    ("resources", "found"),
    [
        (machine(TRAIN, {"ResourceConfig": TWO}), ["S[Run]"]),
        (machine(TRAIN, {"ResourceConfig": TWO} | ENCRYPTED), []),
        (machine(TRAIN, {"ResourceConfig": ONE}), []),
        (machine(TRAIN, {"ResourceConfig": {"InstanceCount": "{% $n %}"}}), []),
        (machine(TRAIN, "{% $request %}"), []),
        (machine(TRAIN, {"ResourceConfig": {"InstanceGroups": [ONE, ONE]}}), ["S[Run]"]),
        (machine(PROCESS, {"ProcessingResources": {"ClusterConfig": TWO}}), ["S[Run]"]),
        (machine(PROCESS, {"ProcessingResources": {"ClusterConfig": TWO}, "NetworkConfig": ENCRYPTED}), []),
        (machine(AUTOML, {}), ["S[Run]"]),
        (machine(AUTOML, {"SecurityConfig": ENCRYPTED}), []),
        (machine(TUNE, {"TrainingJobDefinition": {"ResourceConfig": TWO}}), ["S[Run]"]),
        (machine(TUNE, {"TrainingJobDefinitions": [{}, {"ResourceConfig": TWO}]}), ["S[Run.2]"]),
        (pipeline("Training", {"ResourceConfig": TWO}), ["P[Run]"]),
        (pipeline("Training", {"ResourceConfig": {"InstanceCount": {"Get": "Parameters.Count"}}}), []),
    ],
)
def test_instances_that_talk_do_so_encrypted(resources: Any, found: list[str]) -> None:
    assert findings("TR1", resources) == found


def test_monitoring_definitions_are_jobs_too() -> None:
    definition = {"JobResources": {"ClusterConfig": TWO}}
    resources = {"D": ("AWS::SageMaker::DataQualityJobDefinition", definition)}
    assert findings("TR1", resources) == ["D"]
    assert findings("TR2", resources) == ["D"]
    assert findings("TR3", resources) == ["D[output]", "D[volume]"]


def test_a_processing_job_of_a_template_is_a_job_too() -> None:
    request = {"ProcessingResources": {"ClusterConfig": TWO}}
    assert findings("TR1", {"J": ("AWS::SageMaker::ProcessingJob", request)}) == ["J"]
    closed = request | {"NetworkConfig": ENCRYPTED}
    assert findings("TR1", {"J": ("AWS::SageMaker::ProcessingJob", closed)}) == []


@pytest.mark.parametrize("resource", ["arn:aws:lambda:us-east-1:123456789012:function:train", "${Function}"])
def test_a_task_that_calls_a_function_by_its_arn_is_no_job(resource: str) -> None:
    task = {"Type": "Task", "Resource": resource, "Arguments": {"ResourceConfig": TWO}, "End": True}
    definition = json.dumps({"StartAt": "Run", "States": {"Run": task}})
    assert findings("TR1", {"S": ("AWS::StepFunctions::StateMachine", {"DefinitionString": definition})}) == []


@pytest.mark.parametrize(
    ("resources", "found"),
    [
        (machine(TRAIN, {}), ["S[Run]"]),
        (machine(TRAIN, {"EnableNetworkIsolation": True}), []),
        (machine(TRAIN, {"EnableNetworkIsolation": "{% $closed %}"}), []),
        (machine(TRAIN, {"VpcConfig": {"Subnets": ["a"]}}), []),
        (machine(PROCESS, {"EnableNetworkIsolation": True}), ["S[Run]"]),
        (machine(PROCESS, {"NetworkConfig": {"EnableNetworkIsolation": True}}), []),
        (machine(AUTOML, {"SecurityConfig": {"VpcConfig": {"Subnets": ["a"]}}}), []),
        (machine(AUTOML, {}), ["S[Run]"]),
        (machine(TRANSFORM, {}), []),
    ],
)
def test_jobs_are_closed(resources: Any, found: list[str]) -> None:
    assert findings("TR2", resources) == found


@pytest.mark.parametrize(
    ("resources", "found"),
    [
        (machine(TRAIN, {"ResourceConfig": ONE}), ["S[Run.output]", "S[Run.volume]"]),
        (machine(TRAIN, {"ResourceConfig": ONE | {"VolumeKmsKeyId": "k"}}), ["S[Run.output]"]),
        (machine(TRAIN, {"ResourceConfig": {"InstanceType": "ml.g5.xlarge"}}), ["S[Run.output]"]),
        (machine(TRAIN, "{% $request %}"), []),
        (machine(TRANSFORM, {"TransformOutput": {"KmsKeyId": "k"}}), ["S[Run.volume]"]),
        (machine(AUTOML, {"OutputDataConfig": {"KmsKeyId": "k"}}), ["S[Run.volume]"]),
        (machine(TUNE, {"TrainingJobDefinition": {}}), ["S[Run.output]", "S[Run.volume]"]),
    ],
)
def test_volumes_and_outputs_have_keys(resources: Any, found: list[str]) -> None:
    assert findings("TR3", resources) == found


SPOT = {"EnableManagedSpotTraining": True}
WAIT = {"StoppingCondition": {"MaxWaitTimeInSeconds": 9}}


@pytest.mark.parametrize(
    ("request_", "found"),
    [
        (SPOT, ["S[Run]"]),
        (SPOT | WAIT, ["S[Run]"]),
        (SPOT | WAIT | {"CheckpointConfig": {"S3Uri": "s3://c"}}, []),
        (SPOT | {"StoppingCondition": "{% $limits %}", "CheckpointConfig": "{% $c %}"}, []),
        ({}, []),
    ],
)
def test_spot_training_can_be_interrupted(request_: Any, found: list[str]) -> None:
    assert findings("TR4", machine(TRAIN, request_)) == found


@pytest.mark.parametrize(
    ("config", "early", "strategy"),
    [
        ({}, ["S[Run]"], []),
        ({"Strategy": "Bayesian", "TrainingJobEarlyStoppingType": "Off"}, ["S[Run]"], []),
        ({"Strategy": "Bayesian", "TrainingJobEarlyStoppingType": "Auto"}, [], []),
        ({"Strategy": "Hyperband"}, [], []),
        ({"Strategy": "Random", "TrainingJobEarlyStoppingType": "Auto"}, [], ["S[Run]"]),
        ("{% $search %}", [], []),
    ],
)
def test_searches_stop_early_and_learn(config: Any, early: list[str], strategy: list[str]) -> None:
    search = machine(TUNE, {"HyperParameterTuningJobConfig": config})
    assert (findings("TR5", search), findings("TR6", search)) == (early, strategy)


@pytest.mark.parametrize(
    ("request_", "found"),
    [
        ({}, ["S[Run]"]),
        ({"WarmStartConfig": {"WarmStartType": "TransferLearning"}}, []),
        ({"TrainingJobDefinition": {"CheckpointConfig": {"S3Uri": "s3://c"}}}, []),
    ],
)
def test_searches_build_on_earlier_work(request_: Any, found: list[str]) -> None:
    assert findings("TR7", machine(TUNE, request_)) == found


def calls(*operations: str, decides: bool) -> dict[str, Any]:
    states: dict[str, Any] = {
        name: {"Type": "Task", "Resource": f"arn:aws:states:::aws-sdk:sagemaker:{name}"} for name in operations
    }
    if decides:
        states["Judge"] = {"Type": "Choice", "Choices": []}
    return {"S": ("AWS::StepFunctions::StateMachine", {"DefinitionString": json.dumps({"States": states})})}


def test_a_machine_decides_between_training_and_deployment() -> None:
    both = ("createTrainingJob", "createEndpoint")
    assert findings("TR8", calls(*both, decides=False)) == ["S"]
    assert findings("TR8", calls(*both, decides=True)) == []
    assert findings("TR8", calls("createTrainingJob", decides=False)) == []


def test_a_pipeline_decides_between_training_and_registration() -> None:
    register = {"Name": "Register", "Type": "RegisterModel"}
    judged = {"Name": "Judge", "Type": "Condition", "Arguments": {"IfSteps": [register]}}
    train = {"Name": "Train", "Type": "Training"}
    for steps, found in (([train, register], ["P"]), ([train, judged], [])):
        body = {"PipelineDefinitionBody": json.dumps({"Steps": steps})}
        assert findings("TR8", {"P": ("AWS::SageMaker::Pipeline", {"PipelineDefinition": body})}) == found


def test_a_state_name_with_blanks_makes_a_detail_without() -> None:
    assert findings("TR2", machine(TRAIN, {}, name="Train the (new) model")) == ["S[Train-the-new-model]"]
