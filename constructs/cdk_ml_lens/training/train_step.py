"""The training job of a pipeline, as CreateTrainingJob takes it, and the state that runs it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cdk_ml_lens.core.asl import States, caught, choice, js, note, task
from cdk_ml_lens.core.cost import job_tags
from cdk_ml_lens.training.plan import TrainingPlan

SPLITS = {"train": "train", "validation": "validation"}
LIMITS = ("SageMaker.ResourceLimitExceededException", "SageMaker.AmazonSageMakerException")
PATIENT: Mapping[str, Any] = {"IntervalSeconds": 30, "MaxAttempts": 5, "BackoffRate": 2, "MaxDelaySeconds": 600}
SLACK_SECONDS = 1800  # until instances are there, and data and results are moved


def train_states(plan: TrainingPlan, *, next: str) -> States:
    """Return the states from ``Train`` to the candidate: ``$modelData`` is its artifact, ``$trainingJob`` its job."""
    longest = plan.options.resources.longest_minutes * 60 + SLACK_SECONDS
    return {
        "Train": task(
            "sagemaker:createTrainingJob.sync",
            {"TrainingJobName": js("$job"), **training_job(plan), "Tags": job_tags(plan.scope)},
            next="CheckTrained",
            catch=[caught("TrainFailed", "Train", "Announce")],
            assign={
                "status": js("$states.result.TrainingJobStatus"),
                "secondary": js(
                    "$exists($states.result.SecondaryStatus) ? $states.result.SecondaryStatus : 'no more is known'"
                ),
                "modelData": js("$states.result.ModelArtifacts.S3ModelArtifacts"),
                "trainingJob": js("$job"),
                "hyperparameters": js("$states.result.HyperParameters"),
            },
            retry=PATIENT,
            retried=LIMITS,
            seconds=longest,
        ),
        "CheckTrained": choice(("$status = 'Completed'", next), default="TrainingStopped"),
        "TrainingStopped": note(
            error="TrainFailed",
            step="Train",
            reason=js("'the training job ' & $job & ' ended as ' & $status & ': ' & $secondary"),
            next="Announce",
        ),
    }


def training_job(plan: TrainingPlan) -> dict[str, Any]:
    """Return CreateTrainingJob's request without the name."""
    definition = common(plan)
    definition["HyperParameters"] = {**plan.static_hyperparameters(), **features(plan)}
    definition["AlgorithmSpecification"] = specification(plan)
    return definition


def features(plan: TrainingPlan) -> dict[str, str]:
    """Return what a script learns of the features: their names; and what a built-in algorithm does: their number."""
    if plan.algorithm.dimension is not None:
        return {plan.algorithm.dimension: js("$string($count($manifest.features))")}
    if plan.algorithm.source is None:
        return {}
    return {"features": js("$join($manifest.features, ',')")}


def specification(plan: TrainingPlan) -> dict[str, Any]:
    """Return image, input mode and metric definitions."""
    found: dict[str, Any] = {"TrainingImage": plan.image, "TrainingInputMode": plan.options.resources.input_mode}
    if plan.algorithm.metrics:
        found["MetricDefinitions"] = [{"Name": name, "Regex": regex} for name, regex in plan.algorithm.metrics.items()]
    return found


def common(plan: TrainingPlan) -> dict[str, Any]:
    """Return what training jobs and the jobs of a tuning have in common."""
    resources, isolation = plan.options.resources, plan.options.isolation
    definition: dict[str, Any] = {
        "RoleArn": plan.training_role.role_arn,
        "InputDataConfig": _channels(plan),
        "OutputDataConfig": {"S3OutputPath": f"{plan.artifacts}/training/", "KmsKeyId": plan.key_arn},
        "ResourceConfig": {
            "InstanceType": resources.instance_type,
            "InstanceCount": resources.instance_count,
            "VolumeSizeInGB": resources.volume_gb,
            "VolumeKmsKeyId": plan.key_arn,
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": resources.max_minutes * 60},
        "EnableNetworkIsolation": isolation.isolated,
        "EnableInterContainerTrafficEncryption": isolation.encrypt_between,
    }
    vpc = plan.vpc_config()
    if vpc is not None:
        definition["VpcConfig"] = vpc
    tracking = plan.options.tracking
    if tracking is not None:
        definition["Environment"] = {"MLFLOW_TRACKING_URI": tracking.arn, "MLFLOW_EXPERIMENT_NAME": plan.prefix}
    return definition | _spot(plan)


def _spot(plan: TrainingPlan) -> dict[str, Any]:
    resources = plan.options.resources
    if resources.spot is None:
        return {}
    longest = resources.spot.max_wait_minutes * 60
    spot: dict[str, Any] = {
        "EnableManagedSpotTraining": True,
        "StoppingCondition": {"MaxRuntimeInSeconds": resources.max_minutes * 60, "MaxWaitTimeInSeconds": longest},
    }
    if resources.spot.checkpoints:
        where = js(f"'{plan.artifacts}/checkpoints/' & $job & '/'")
        spot["CheckpointConfig"] = {"S3Uri": where, "LocalPath": "/opt/ml/checkpoints"}
    return spot


def _channels(plan: TrainingPlan) -> list[dict[str, Any]]:
    channels = [_channel(name, js(f"$splits.{split}"), plan.algorithm.content_type) for name, split in SPLITS.items()]
    if plan.code is not None:
        # Code is a channel, so that a container without a network has it: SageMaker AI brings it.
        channels.append({**_channel("code", plan.code.url, "application/gzip"), "InputMode": "File"})
    return channels


def _channel(name: str, uri: str, content_type: str) -> dict[str, Any]:
    source = {"S3DataType": "S3Prefix", "S3Uri": uri, "S3DataDistributionType": "FullyReplicated"}
    return {"ChannelName": name, "ContentType": content_type, "DataSource": {"S3DataSource": source}}
