"""The AutoML job of a pipeline: start it, look at it until it has ended, take its best candidate."""

from __future__ import annotations

from typing import Any

from cdk_ml_lens.core.asl import States, caught, choice, js, note, task
from cdk_ml_lens.training.auto_ml import AutoMl
from cdk_ml_lens.training.plan import TrainingPlan
from cdk_ml_lens.training.train_step import LIMITS, PATIENT
from cdk_ml_lens.training.tune_step import tuning_prefix

_FAILED = "TrainFailed"
# Step Functions spells answers like the SDK for Java, where acronyms can differ from the API: found by its end.
_STATUS = """($answer := $states.result;
  $lookup($answer, $filter($keys($answer), function($key) { $contains($key, 'JobStatus') })))"""
_LEAST_POLL_SECONDS = 60
_MOST_POLLS = 400  # of about 15 events each; an execution has 25,000


def auto_ml_states(plan: TrainingPlan, wanted: AutoMl, *, next: str) -> States:
    """Return the states from ``Train`` to the best candidate: ``$modelData``, ``$image`` and ``$environment``.

    There is no ``.sync`` for AutoML: https://docs.aws.amazon.com/step-functions/latest/dg/connect-sagemaker.html
    """
    name = js("$trainingJob")
    given = js(f"'{tuning_prefix(plan)}-' & $substring($hash($me, 'SHA-256'), 0, 16)")
    seconds = max(_LEAST_POLL_SECONDS, wanted.max_minutes * 60 // _MOST_POLLS)
    return {
        "Train": note(trainingJob=given, hyperparameters={}, next="StartAutoMl"),
        "StartAutoMl": task(
            "aws-sdk:sagemaker:createAutoMLJobV2",
            {"AutoMLJobName": name, **auto_ml_job(plan, wanted)},
            next="WaitAutoMl",
            catch=[caught(_FAILED, "Train", "Announce")],
            retry=PATIENT,
            retried=LIMITS,
        ),
        "WaitAutoMl": {"Type": "Wait", "Seconds": seconds, "Next": "DescribeAutoMl"},
        "DescribeAutoMl": task(
            "aws-sdk:sagemaker:describeAutoMLJobV2",
            {"AutoMLJobName": name},
            next="AutoMlEnded",
            catch=[caught(_FAILED, "Train", "StopAutoMl")],
            assign={
                "status": js(_STATUS),
                "secondary": js("$exists($states.result.FailureReason) ? $states.result.FailureReason : 'no reason'"),
                "containers": js("$append([], $states.result.BestCandidate.InferenceContainers)"),
            },
        ),
        **_end(name, next),
    }


def _end(name: str, next: str) -> States:
    first = "$containers[0]"
    return {
        "AutoMlEnded": choice(
            ("$status = 'InProgress' or $status = 'Stopping'", "WaitAutoMl"),
            ("$status = 'Completed' and $count($containers) = 1", "TakeBest"),
            default="AutoMlFailed",
        ),
        "TakeBest": note(
            modelData=js(f"{first}.ModelDataUrl"),
            image=js(f"{first}.Image"),
            environment=js(f"$exists({first}.Environment) ? {first}.Environment : {{}}"),
            next=next,
        ),
        "AutoMlFailed": note(
            error=_FAILED,
            step="Train",
            reason=js(
                "'the AutoML job ' & $trainingJob & ' ended as ' & $status & ' with '"
                " & $string($count($containers)) & ' containers: ' & $secondary"
            ),
            next="Announce",
        ),
        "StopAutoMl": task(
            "aws-sdk:sagemaker:stopAutoMLJob",
            {"AutoMLJobName": name},
            next="Announce",
            catch=[{"ErrorEquals": ["States.ALL"], "Next": "Announce"}],
        ),
    }


def auto_ml_job(plan: TrainingPlan, wanted: AutoMl) -> dict[str, Any]:
    """Return CreateAutoMLJobV2's request without the name."""
    security: dict[str, Any] = {
        "VolumeKmsKeyId": plan.key_arn,
        "EnableInterContainerTrafficEncryption": plan.options.isolation.encrypt_between,
    }
    vpc = plan.vpc_config()
    if vpc is not None:
        security["VpcConfig"] = vpc
    tabular = {
        "TargetAttributeName": wanted.target,
        "ProblemType": wanted.problem,
        "Mode": "ENSEMBLING",
        "CompletionCriteria": {"MaxAutoMLJobRuntimeInSeconds": wanted.max_minutes * 60},
    }
    return {
        "RoleArn": wanted.role.role_arn,
        "AutoMLJobInputDataConfig": [_channel("training", "train"), _channel("validation", "validation")],
        "OutputDataConfig": {"S3OutputPath": f"{plan.artifacts}/training/", "KmsKeyId": plan.key_arn},
        "AutoMLProblemTypeConfig": {"TabularJobConfig": tabular},
        "AutoMLJobObjective": {"MetricName": wanted.objective},
        "SecurityConfig": security,
    }


def _channel(kind: str, split: str) -> dict[str, Any]:
    source = {"S3DataType": "S3Prefix", "S3Uri": js(f"$splits.{split}")}
    return {
        "ChannelType": kind,
        "ContentType": "text/csv;header=present",
        "CompressionType": "None",
        "DataSource": {"S3DataSource": source},
    }
