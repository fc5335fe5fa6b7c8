"""The state machine of a baseline: read the model's data set, describe it in a job, make the result the current one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cdk_ml_lens.core.asl import State, States, caught, choice, fail, js, note, put_event, succeed, task
from cdk_ml_lens.monitoring.drift_values import DriftRules
from cdk_ml_lens.monitoring.processing import INPUT, JobInput, StatisticsJob

SOURCE = "cdk-ml-lens.monitoring"
FAILED = "Baseline Failed"
MADE = "Baseline Succeeded"
FILE = "baseline.json"
_SPLIT_URI = "$substringAfter(%s, 's3://')"


@dataclass(frozen=True, kw_only=True)
class BaselinePlan:
    """What the states need, resolved to names and URIs.

    Parameters
    ----------
    job : StatisticsJob
        Describes data sets.
    bucket_name, prefix : str
        Where baselines go.
    answer_field : str
        Field of a JSON answer that is the prediction.
    """

    job: StatisticsJob
    bucket_name: str
    prefix: str
    answer_field: str = DriftRules().answer_field


def definition(plan: BaselinePlan, *, longest_seconds: int) -> dict[str, Any]:
    """Return the Amazon States Language definition.

    Parameters
    ----------
    plan : BaselinePlan
        Job and places.
    longest_seconds : int
        Time-out of an execution.
    """
    return {
        "Comment": "Describe the data of a model version; what traffic is judged against.",
        "QueryLanguage": "JSONata",
        "StartAt": "ReadRequest",
        "TimeoutSeconds": longest_seconds,
        "States": {**_read_model(), **_read_dataset(), **_describe(plan), **_publish(plan), **_end()},
    }


def _read_model() -> States:
    catch = [caught("ReadModelFailed", "ReadModel", "Announce")]
    return {
        "ReadRequest": note(
            dataset=js("$exists($states.input.dataset) ? $states.input.dataset : ''"),
            package=js("$exists($states.input.model_package_arn) ? $states.input.model_package_arn : ''"),
            version="",
            model="",
            next="HasModel",
        ),
        "HasModel": choice(("$package != ''", "ReadPackage"), default="ReadDataset"),
        "ReadPackage": task(
            "aws-sdk:sagemaker:describeModelPackage",
            {"ModelPackageName": js("$package")},
            next="ReadManifest",
            catch=catch,
            assign={
                "model": js("$states.result.InferenceSpecification.Containers[0].ModelDataUrl"),
                "place": js(_SPLIT_URI % "$states.result.CustomerMetadataProperties.manifest"),
            },
        ),
        "ReadManifest": task(
            "aws-sdk:s3:getObject",
            _object("$place"),
            next="ReadDataset",
            catch=catch,
            assign={
                "dataset": js("$parse($states.result.Body).dataset.uri"),
                "version": js("$parse($states.result.Body).model_version"),
            },
        ),
    }


def _read_dataset() -> States:
    return {
        "ReadDataset": task(
            "aws-sdk:s3:getObject",
            _object(_SPLIT_URI % "$dataset"),
            next="HasAnswers",
            catch=[caught("ReadDatasetFailed", "ReadDataset", "Announce")],
            assign={
                "splits": js("$parse($states.result.Body).splits"),
                "data": js("$string($parse($states.result.Body).version)"),
                "version": js("$version != '' ? $version : $string($parse($states.result.Body).version)"),
            },
        ),
        "HasAnswers": choice(("$model != ''", "DescribeWithAnswers"), default="Describe"),
    }


def _object(place: str) -> dict[str, str]:
    return {"Bucket": js(f"$substringBefore({place}, '/')"), "Key": js(f"$substringAfter({place}, '/')")}


def _describe(plan: BaselinePlan) -> States:
    return {"Describe": _job(plan, answers=False), "DescribeWithAnswers": _job(plan, answers=True)}


def _job(plan: BaselinePlan, *, answers: bool) -> State:
    # Features come with the manifest: an argument has 256 characters at most (API_AppSpecification.html).
    command = ["baseline", "--train", f"{INPUT}/train", "--dataset", f"{INPUT}/dataset"]
    command += ["--version", js("$version"), "--made-from", js("$data"), "--answer-field", plan.answer_field]
    inputs = [JobInput(name="train", uri=js("$splits.train")), JobInput(name="dataset", uri=js("$dataset"))]
    if answers:
        command += ["--held-out", f"{INPUT}/validation", "--model", f"{INPUT}/model"]
        inputs += [
            JobInput(name="validation", uri=js("$splits.validation")),
            JobInput(name="model", uri=js("$model")),
        ]
    return plan.job.state(
        command=command,
        inputs=inputs,
        output=js(f"'s3://{plan.bucket_name}/{plan.prefix}/' & $version & '/'"),
        error="DescribeFailed",
        step="Describe",
        next="Publish",
    )


def _publish(plan: BaselinePlan) -> States:
    made = f"'{plan.prefix}/' & $version & '/{FILE}'"
    outcome = {
        "version": js("$version"),
        "dataset_version": js("$data"),
        "baseline": js(f"'s3://{plan.bucket_name}/' & {made}"),
    }
    return {
        # One call: a monitor reads the baseline before or after it, never a part.
        "Publish": task(
            "aws-sdk:s3:copyObject",
            {
                "Bucket": plan.bucket_name,
                "Key": f"{plan.prefix}/current/{FILE}",
                "CopySource": js(f"'{plan.bucket_name}/' & {made}"),
            },
            next="Tell",
            catch=[caught("PublishFailed", "Publish", "Announce")],
        ),
        "Tell": put_event(source=SOURCE, detail_type=MADE, detail=outcome, next="Made", catch=quietly("Made")),
        "Made": succeed(**outcome),
    }


def _end() -> States:
    detail = {
        "execution": js("$states.context.Execution.Id"),
        "dataset": js("$dataset"),
        "step": js("$step"),
        "error": js("$error"),
        "cause": js("$reason"),
    }
    return {
        "Announce": put_event(source=SOURCE, detail_type=FAILED, detail=detail, next="Failed", catch=quietly("Failed")),
        "Failed": fail(js("$error"), js("$reason")),
    }


def quietly(next: str) -> list[State]:
    """Return the catcher of an event: whether it is sent changes no outcome."""
    return [{"ErrorEquals": ["States.ALL"], "Next": next}]
