"""TrainingPipeline: what its jobs ask for, that every error is caught, refusals, permissions, nag."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs

from cdk_ml_lens import (
    Algorithm,
    Evaluation,
    EvaluationResources,
    IsolatedNetwork,
    ManagedSpot,
    PropError,
    Registration,
    TrainingImage,
    TrainingIsolation,
    TrainingOptions,
    TrainingResources,
)
from tests.unit.templates import Template
from tests.unit.training.pipeline_support import definition, followers, pipeline

Synth = Callable[[cdk.Stack], Template]
FOREST = Algorithm.random_cut_forest(evaluation=Evaluation.anomalies(TrainingImage.sklearn()))


def states(stack: cdk.Stack, synth: Synth, **props: Any) -> dict[str, Any]:
    pipeline(stack, **props)
    found: dict[str, Any] = definition(synth(stack))["States"]
    return found


def test_minimal_trains_without_network_encrypted_with_code_as_a_channel(stack: cdk.Stack, synth: Synth) -> None:
    job = states(stack, synth)["Train"]["Arguments"]
    assert (job["EnableNetworkIsolation"], job["EnableInterContainerTrafficEncryption"]) == (True, True)
    assert job["OutputDataConfig"]["S3OutputPath"] == "s3://artifacts/training/"
    key = job["OutputDataConfig"]["KmsKeyId"]
    assert key == job["ResourceConfig"]["VolumeKmsKeyId"] == "arn:aws:kms:eu-west-1:111122223333:key/registry"
    channels = {channel["ChannelName"]: channel for channel in job["InputDataConfig"]}
    assert sorted(channels) == ["code", "train", "validation"]
    assert channels["train"]["DataSource"]["S3DataSource"]["S3Uri"] == "{% $splits.train %}"
    settings = job["HyperParameters"]
    assert re.fullmatch(r"/opt/ml/input/data/code/[0-9a-f]{64}\.gz", settings["sagemaker_submit_directory"])
    assert settings["features"] == "{% $join($manifest.features, ',') %}"
    assert all(isinstance(value, str) for value in settings.values())
    assert "EnableManagedSpotTraining" not in job
    assert "VpcConfig" not in job


def test_full_runs_on_spot_with_checkpoints_in_a_network(stack: cdk.Stack, synth: Synth) -> None:
    spot = ManagedSpot(max_wait_minutes=240)
    resources = TrainingResources(
        instance_type="ml.c5.xlarge", volume_gb=50, max_minutes=120, spot=spot, input_mode="FastFile"
    )
    isolation = TrainingIsolation(network=IsolatedNetwork(stack, "Network"), isolated=False, encrypt_between=False)
    options = TrainingOptions(
        resources=resources, isolation=isolation, evaluation=EvaluationResources(max_minutes=10, volume_gb=20)
    )
    registration = Registration(variant_name="only", instance_count=2)
    found = states(stack, synth, options=options, registration=registration, alarm_topic=sns.Topic(stack, "Ops"))
    job = found["Train"]["Arguments"]
    assert job["StoppingCondition"] == {"MaxRuntimeInSeconds": 7200, "MaxWaitTimeInSeconds": 14400}
    assert job["CheckpointConfig"] == {
        "S3Uri": "{% 's3://artifacts/checkpoints/' & $job & '/' %}",
        "LocalPath": "/opt/ml/checkpoints",
    }
    assert job["AlgorithmSpecification"]["TrainingInputMode"] == "FastFile"
    assert (job["EnableNetworkIsolation"], job["EnableManagedSpotTraining"]) == (False, True)
    assert job["VpcConfig"] == {"SecurityGroupIds": ["token"], "Subnets": ["token", "token"]}
    assert found["Train"]["TimeoutSeconds"] > 14400
    evaluation = found["Evaluate"]["Arguments"]
    assert evaluation["NetworkConfig"]["VpcConfig"] == job["VpcConfig"]
    assert evaluation["StoppingCondition"] == {"MaxRuntimeInSeconds": 600}


def test_spot_without_checkpoints_keeps_none(stack: cdk.Stack, synth: Synth) -> None:
    spot = ManagedSpot(max_wait_minutes=60, checkpoints=False)
    job = states(stack, synth, options=TrainingOptions(resources=TrainingResources(spot=spot)))["Train"]["Arguments"]
    assert "CheckpointConfig" not in job


@pytest.mark.parametrize("algorithm", [Algorithm.isolation_forest(), FOREST], ids=lambda one: one.name)
def test_every_task_times_out_is_caught_and_every_way_leads_to_a_state(
    stack: cdk.Stack, synth: Synth, algorithm: Algorithm
) -> None:
    found = states(stack, synth, algorithm=algorithm)
    for name, state in found.items():
        assert followers(state) <= set(found), name
        if state["Type"] == "Task":
            assert state["TimeoutSeconds"] > 0, name
            assert state["Catch"][-1]["ErrorEquals"] == ["States.ALL"], name
    reached = {"ReadRequest"}
    while new := {after for name in reached for after in followers(found[name])} - reached:
        reached |= new
    assert reached == set(found)


def test_a_failure_is_announced_before_the_execution_fails_with_the_error_of_its_step(
    stack: cdk.Stack, synth: Synth
) -> None:
    found = states(stack, synth)
    notes = [state for state in found.values() if state["Type"] == "Pass"]
    noted = [*notes, *(catch for state in found.values() for catch in state.get("Catch", []))]
    errors = {entry["Assign"]["error"] for entry in noted if "error" in entry.get("Assign", {})}
    assert errors == {
        "ReadDatasetFailed",
        "TrainFailed",
        "EvaluateFailed",
        "JudgeFailed",
        "CandidateRefused",
        "RegisterFailed",
    }
    (entry,) = found["Announce"]["Arguments"]["Entries"]
    assert (entry["Source"], entry["DetailType"]) == ("cdk-ml-lens.training", "Training Failed")
    assert set(entry["Detail"]) == {"execution", "dataset", "step", "error", "cause"}
    assert followers(found["Announce"]) == {"Failed"}


def test_candidate_and_champion_are_scored_on_the_same_rows_by_one_job(stack: cdk.Stack, synth: Synth) -> None:
    found = states(stack, synth)
    alone, both = (found[name]["Arguments"] for name in ("Evaluate", "EvaluateBoth"))
    assert [given["InputName"] for given in alone["ProcessingInputs"]] == ["code", "test", "model"]
    assert [given["InputName"] for given in both["ProcessingInputs"]] == ["code", "test", "model", "champion"]
    assert both["Environment"]["CHAMPION_MODEL_PACKAGE_ARN"] == "{% $champion %}"
    assert "CHAMPION_MODEL_PACKAGE_ARN" not in alone["Environment"]
    program = both["AppSpecification"]["ContainerEntrypoint"][1]
    assert re.fullmatch(r"/opt/ml/processing/input/code/[0-9a-f]{64}\.zip", program)


def test_job_names_are_short_lower_case_and_allowed_by_prefix(stack: cdk.Stack, synth: Synth) -> None:
    pipeline(stack)
    template = synth(stack)
    name = definition(template)["States"]["ReadRequest"]["Assign"]["job"]
    (prefix,) = re.findall(r"'([a-z0-9-]+)-' &", name)
    assert len(prefix) + 1 + 36 + len("-p") <= 63
    (statement,) = [item for item in template.statements("Machine") if "sagemaker:CreateTrainingJob" in item["Action"]]
    assert str(statement["Resource"]).count(f"training-job/{prefix}-*") == 1


def test_built_in_algorithm_gets_plain_files_and_the_number_of_features(stack: cdk.Stack, synth: Synth) -> None:
    found = states(stack, synth, algorithm=FOREST)
    assert followers(found["CheckDataset"]) == {"Prepare", "RefuseDataset"}
    assert found["Prepare"]["Assign"]["splits"]["train"] == "{% 's3://artifacts/prepared/' & $me & '/train/' %}"
    job = found["Train"]["Arguments"]
    assert job["HyperParameters"] == {
        "num_trees": "100",
        "num_samples_per_tree": "256",
        "feature_dim": "{% $string($count($manifest.features)) %}",
    }
    assert [channel["ChannelName"] for channel in job["InputDataConfig"]] == ["train", "validation"]
    assert job["InputDataConfig"][0]["ContentType"] == "text/csv;label_size=0"


def test_an_image_without_script_gets_the_hyperparameters_and_nothing_else(stack: cdk.Stack, synth: Synth) -> None:
    image, forest = TrainingImage.sklearn(), Algorithm.isolation_forest()
    own = Algorithm(
        name="own",
        image=image,
        serving=forest.serving,
        evaluation=Evaluation.anomalies(image),
        hyperparameters={"depth": "3"},
    )
    job = states(stack, synth, algorithm=own)["Train"]["Arguments"]
    assert job["HyperParameters"] == {"depth": "3"}
    assert "code" not in [channel["ChannelName"] for channel in job["InputDataConfig"]]


def test_roles_do_what_their_step_does_and_no_more(stack: cdk.Stack, synth: Synth) -> None:
    pipeline(stack)
    template = synth(stack)
    machine = template.actions("PipelineMachine")
    assert {"sagemaker:CreateTrainingJob", "sagemaker:StopProcessingJob", "iam:PassRole", "s3:GetObject"} <= machine
    assert not {action for action in machine if action.startswith("sagemaker:") and "Package" in action} - {
        "sagemaker:ListModelPackages",
        "sagemaker:DescribeModelPackage",
    }
    (passing, *_) = [item for item in template.statements("PipelineMachine") if item["Action"] == "iam:PassRole"]
    assert passing["Condition"] == {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}
    written = [item for item in template.statements("Evaluation") if "s3:PutObject" in item["Action"]]
    assert len(written) == 1
    assert "artifacts/evaluations/*" in str(written[0]["Resource"])
    assert "sagemaker:CreateModelPackage" not in template.actions("PipelineJudge")
    assert {"sagemaker:CreateModelPackage", "sagemaker:DeleteModelPackage"} <= template.actions("PipelineRegister")


def test_roles_that_read_datasets_are_known(stack: cdk.Stack) -> None:
    made = pipeline(stack, algorithm=FOREST)
    names = [role.node.path for role in made.roles]
    assert [name.split("/")[2] for name in names] == ["Machine", "Training", "Evaluation", "Preparation"]


def test_role_policies_exist_before_the_machine(stack: cdk.Stack, synth: Synth) -> None:
    pipeline(stack)
    template = synth(stack)
    (machine,) = template.of_type("AWS::StepFunctions::StateMachine")
    policies = [id for id in template.of_type("AWS::IAM::Policy") if "Judge" not in id and "Register" not in id]
    assert set(policies) <= template.depends_on(machine)


def test_failures_and_hanging_runs_are_told(stack: cdk.Stack, synth: Synth) -> None:
    made = pipeline(stack, alarm_topic=sns.Topic(stack, "Ops"))
    made.on_failed("Tell", targets.SqsQueue(sqs.Queue(stack, "Queue")))
    template = synth(stack)
    alarms = [item["Properties"] for item in template.of_type("AWS::CloudWatch::Alarm").values()]
    assert {alarm["MetricName"] for alarm in alarms} == {"ExecutionsFailed", "ExecutionsTimedOut"}
    assert all(alarm["AlarmActions"] for alarm in alarms)
    pattern = template.only("AWS::Events::Rule")["EventPattern"]
    assert pattern["detail-type"] == ["Training Failed"]
    assert "prefix" in pattern["detail"]["execution"][0]


@pytest.mark.parametrize(
    ("props", "message"),
    [
        (
            {
                "algorithm": FOREST,
                "options": TrainingOptions(resources=TrainingResources(spot=ManagedSpot(max_wait_minutes=61))),
            },
            "spot must wait at most 60 minutes for algorithm 'random-cut-forest', got 61",
        ),
        (
            {
                "algorithm": FOREST,
                "options": TrainingOptions(resources=TrainingResources(spot=ManagedSpot(max_wait_minutes=60))),
            },
            "spot must have checkpoints=False for algorithm 'random-cut-forest'",
        ),
        (
            {"options": TrainingOptions(resources=TrainingResources(input_mode="Pipe"))},
            "input_mode must be File or FastFile for algorithm 'isolation-forest', got 'Pipe'",
        ),
    ],
)
def test_fails_on_what_the_algorithm_cannot_do(stack: cdk.Stack, props: dict[str, Any], message: str) -> None:
    with pytest.raises(PropError, match=re.escape(message)):
        pipeline(stack, **props)


@pytest.mark.parametrize("algorithm", [Algorithm.autoencoder(), FOREST], ids=lambda one: one.name)
def test_nag_is_clean(stack: cdk.Stack, nag: Callable[[cdk.Stack], list[str]], algorithm: Algorithm) -> None:
    network = IsolatedNetwork(stack, "Network")
    options = TrainingOptions(isolation=TrainingIsolation(network=network))
    pipeline(stack, algorithm=algorithm, options=options)
    assert nag(stack) == []


def test_no_role_of_training_can_touch_an_endpoint_so_whatever_fails_leaves_it_serving(
    stack: cdk.Stack, synth: Synth
) -> None:
    pipeline(stack)
    policies = synth(stack).of_type("AWS::IAM::Policy").values()
    statements = [one for policy in policies for one in policy["Properties"]["PolicyDocument"]["Statement"]]
    listed = ([one["Action"]] if isinstance(one["Action"], str) else one["Action"] for one in statements)
    actions = {action for found in listed for action in found}
    assert "sagemaker:CreateTrainingJob" in actions
    assert not [action for action in actions if "Endpoint" in action or "*" in action]
