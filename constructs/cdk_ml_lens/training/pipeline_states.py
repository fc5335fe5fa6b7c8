"""The state machine of a training pipeline: read the dataset, train, evaluate, judge, register, or say why not."""

from __future__ import annotations

from typing import Any

from cdk_ml_lens.core.asl import States, caught, choice, fail, js, note, put_event, succeed, task
from cdk_ml_lens.training.auto_ml_step import auto_ml_states
from cdk_ml_lens.training.evaluate_step import evaluate_states
from cdk_ml_lens.training.plan import TrainingPlan
from cdk_ml_lens.training.prepare_step import prepare_states
from cdk_ml_lens.training.train_step import train_states
from cdk_ml_lens.training.tune_step import tune_states

SOURCE = "cdk-ml-lens.training"
FAILED = "Training Failed"
_LAMBDA_BUSY = (
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.TooManyRequestsException",
)
# Job names have 63 characters; one execution always has the same.
_JOB = """($name := $states.context.Execution.Name;
  '%s-' & ($length($name) <= 36 and $contains($name, /^[A-Za-z0-9](-*[A-Za-z0-9])*$/)
    ? $name : $substring($hash($name, 'SHA-256'), 0, 32)))"""


def definition(plan: TrainingPlan, *, judge: str, register: str, longest_seconds: int) -> dict[str, Any]:
    """Return the Amazon States Language definition.

    Parameters
    ----------
    plan : TrainingPlan
        Jobs and places.
    judge, register : str
        ARNs of the functions.
    longest_seconds : int
        Time-out of an execution.
    """
    states = {
        **_read(plan, next="Train" if plan.algorithm.preparation is None else "Prepare"),
        **prepare_states(plan, next="Train"),
        **_train(plan, next="FindChampion"),
        **evaluate_states(plan, next="Judge"),
        **_judge(judge),
        **_register(register, chosen=plan.algorithm.auto_ml is not None),
        **_end(),
    }
    return {
        "Comment": f"Train {plan.algorithm.name}, judge it on the test split, register what passes.",
        "QueryLanguage": "JSONata",
        "StartAt": "ReadRequest",
        "TimeoutSeconds": longest_seconds,
        "States": states,
    }


def _train(plan: TrainingPlan, *, next: str) -> States:
    tuning, auto_ml = plan.options.tuning, plan.algorithm.auto_ml
    if auto_ml is not None:
        return auto_ml_states(plan, auto_ml, next=next)
    return train_states(plan, next=next) if tuning is None else tune_states(plan, tuning, next=next)


def _read(plan: TrainingPlan, *, next: str) -> States:
    rest = "$substringAfter($states.input.dataset, 's3://')"
    return {
        "ReadRequest": note(
            dataset=js("$exists($states.input.dataset) ? $states.input.dataset : ''"),
            cause=js("$exists($states.input.cause) ? $states.input.cause : 'not given'"),
            me=js("$states.context.Execution.Name"),
            job=js(_JOB % plan.prefix),
            place=js(f"$exists($states.input.dataset) ? {rest} : ''"),
            next="CheckRequest",
        ),
        "CheckRequest": choice(
            ("$substring($dataset, 0, 5) = 's3://' and $contains($place, '/')", "ReadDataset"),
            default="RefuseRequest",
        ),
        "RefuseRequest": note(
            error="ReadDatasetFailed",
            step="ReadDataset",
            reason=js("'dataset must be the S3 URI of a dataset.json, got ' & $string($dataset)"),
            next="Announce",
        ),
        "ReadDataset": task(
            "aws-sdk:s3:getObject",
            {"Bucket": js("$substringBefore($place, '/')"), "Key": js("$substringAfter($place, '/')")},
            next="CheckDataset",
            catch=[caught("ReadDatasetFailed", "ReadDataset", "Announce")],
            assign={
                "manifest": js("$parse($states.result.Body)"),
                "splits": js("$parse($states.result.Body).splits"),
                "version": js("$string($parse($states.result.Body).version)"),
            },
        ),
        "CheckDataset": choice(
            (
                "$exists($manifest.sha256) and $exists($splits.train) and $exists($splits.validation)"
                " and $exists($splits.test) and $count($manifest.features) > 0",
                next,
            ),
            default="RefuseDataset",
        ),
        "RefuseDataset": note(
            error="ReadDatasetFailed",
            step="ReadDataset",
            reason=js("$dataset & ' must have version, sha256, features, and splits train, validation and test'"),
            next="Announce",
        ),
    }


def _judge(function: str) -> States:
    payload = {
        "evaluation": js("$evaluation"),
        "decision": js("$decision"),
        "dataset_version": js("$version"),
        "candidate_model": js("$modelData"),
    }
    return {
        "Judge": task(
            "lambda:invoke",
            {"FunctionName": function, "Payload": payload},
            next="Passed",
            catch=[caught("JudgeFailed", "Judge", "Announce")],
            assign={"passed": js("$states.result.Payload.passed"), "verdict": js("$states.result.Payload.verdict")},
            retried=_LAMBDA_BUSY,
        ),
        "Passed": choice(("$passed = true", "Register"), default="Refused"),
        "Refused": note(error="CandidateRefused", step="Judge", reason=js("$verdict"), next="Announce"),
    }


def _register(function: str, *, chosen: bool) -> States:
    serving = {"image": js("$image"), "environment": js("$environment")} if chosen else {}
    payload = {
        "execution": js("$me"),
        "dataset": {"uri": js("$dataset"), "version": js("$version"), "sha256": js("$manifest.sha256")},
        "evaluation": js("$evaluation"),
        "decision": js("$decision"),
        "model_data": js("$modelData"),
        "training_job": js("$trainingJob"),
        "hyperparameters": js("$hyperparameters"),
        **serving,
    }
    return {
        "Register": task(
            "lambda:invoke",
            {"FunctionName": function, "Payload": payload},
            next="Registered",
            catch=[caught("RegisterFailed", "Register", "Announce")],
            assign={"registered": js("$states.result.Payload")},
            retried=_LAMBDA_BUSY,
        ),
        "Registered": succeed(
            model_version=js("$registered.model_version"),
            model_package_arn=js("$registered.model_package_arn"),
            manifest=js("$registered.manifest"),
            approval_status=js("$registered.approval_status"),
            dataset_version=js("$version"),
            cause=js("$cause"),
        ),
    }


def _end() -> States:
    detail = {
        "execution": js("$states.context.Execution.Id"),
        "dataset": js("$dataset"),
        "step": js("$step"),
        "error": js("$error"),
        "cause": js("$reason"),
    }
    quiet = [{"ErrorEquals": ["States.ALL"], "Next": "Failed"}]
    return {
        "Announce": put_event(source=SOURCE, detail_type=FAILED, detail=detail, next="Failed", catch=quiet),
        "Failed": fail(js("$error"), js("$reason")),
    }
