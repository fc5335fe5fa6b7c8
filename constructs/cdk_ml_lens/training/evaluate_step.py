"""The evaluation of a pipeline: candidate and champion over the same test rows, in one processing job."""

from __future__ import annotations

from typing import Any

from cdk_ml_lens.core.asl import State, States, caught, choice, js, task
from cdk_ml_lens.training.plan import RUNNABLE, TrainingPlan, file_of
from cdk_ml_lens.training.train_step import LIMITS, PATIENT, SLACK_SECONDS

_INPUT = "/opt/ml/processing/input"
_FAILED = "EvaluateFailed"


def evaluate_states(plan: TrainingPlan, *, next: str) -> States:
    """Return the states from ``FindChampion`` to a written ``evaluation.json``, whose URI is ``$evaluation``."""
    catch = [caught(_FAILED, "Evaluate", "Announce")]
    group = plan.registry.group_name
    return {
        "FindChampion": task(
            "aws-sdk:sagemaker:listModelPackages",
            {
                "ModelPackageGroupName": group,
                "ModelApprovalStatus": "Approved",
                "SortBy": "CreationTime",
                "SortOrder": "Descending",
                "MaxResults": 1,
            },
            next="HasChampion",
            catch=catch,
            assign={
                "champion": js(
                    "($found := $states.result.ModelPackageSummaryList[0].ModelPackageArn;"
                    " $exists($found) ? $found : '')"
                ),
                "evaluation": js(f"'{plan.artifacts}/evaluations/' & $me & '/evaluation.json'"),
                "decision": js(f"'{plan.artifacts}/evaluations/' & $me & '/decision.json'"),
            },
        ),
        "HasChampion": choice(("$champion != ''", "DescribeChampion"), default="Evaluate"),
        "DescribeChampion": task(
            "aws-sdk:sagemaker:describeModelPackage",
            {"ModelPackageName": js("$champion")},
            next="EvaluateBoth",
            catch=catch,
            assign={"championData": js("$states.result.InferenceSpecification.Containers[0].ModelDataUrl")},
        ),
        "Evaluate": _job(plan, beside=False, next=next),
        "EvaluateBoth": _job(plan, beside=True, next=next),
    }


def _job(plan: TrainingPlan, *, beside: bool, next: str) -> State:
    resources = plan.options.evaluation
    request = {
        "ProcessingJobName": js("$job"),
        "RoleArn": plan.evaluation_role.role_arn,
        "AppSpecification": _application(plan),
        "Environment": _environment(beside),
        "ProcessingInputs": _inputs(plan, beside=beside),
        "ProcessingOutputConfig": {
            "KmsKeyId": plan.key_arn,
            "Outputs": [_output(js(f"'{plan.artifacts}/evaluations/' & $me & '/'"))],
        },
        "ProcessingResources": {
            "ClusterConfig": {
                "InstanceType": resources.instance_type,
                "InstanceCount": 1,
                "VolumeSizeInGB": resources.volume_gb,
                "VolumeKmsKeyId": plan.key_arn,
            }
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": resources.max_minutes * 60},
        "NetworkConfig": _network(plan),
    }
    return task(
        "sagemaker:createProcessingJob.sync",
        request,
        next=next,
        catch=[caught(_FAILED, "Evaluate", "Announce")],
        retry=PATIENT,
        retried=LIMITS,
        seconds=resources.max_minutes * 60 + SLACK_SECONDS,
    )


def _application(plan: TrainingPlan) -> dict[str, Any]:
    evaluation = plan.algorithm.evaluation
    found: dict[str, Any] = {
        "ImageUri": evaluation.image.uri(plan.scope),
        "ContainerEntrypoint": ["python3", f"{RUNNABLE}/{file_of(plan.evaluation_code)}"],
    }
    if evaluation.arguments:
        found["ContainerArguments"] = list(evaluation.arguments)
    return found


def _environment(beside: bool) -> dict[str, str]:
    champion = {"CHAMPION_MODEL_PACKAGE_ARN": js("$champion")} if beside else {}
    return {"DATASET_VERSION": js("$version"), **champion}


def _inputs(plan: TrainingPlan, *, beside: bool) -> list[dict[str, Any]]:
    inputs = [
        _input("code", plan.evaluation_code.url),
        _input("test", js("$splits.test")),
        _input("model", js("$modelData")),
    ]
    return [*inputs, _input("champion", js("$championData"))] if beside else inputs


def _input(name: str, uri: str) -> dict[str, Any]:
    source = {
        "S3Uri": uri,
        "LocalPath": f"{_INPUT}/{name}",
        "S3DataType": "S3Prefix",
        "S3InputMode": "File",
        "S3DataDistributionType": "FullyReplicated",
        "S3CompressionType": "None",
    }
    return {"InputName": name, "S3Input": source}


def _output(uri: str) -> dict[str, Any]:
    target = {"S3Uri": uri, "LocalPath": "/opt/ml/processing/output", "S3UploadMode": "EndOfJob"}
    return {"OutputName": "evaluation", "S3Output": target}


def _network(plan: TrainingPlan) -> dict[str, Any]:
    isolation = plan.options.isolation
    vpc = plan.vpc_config()
    found: dict[str, Any] = {
        "EnableNetworkIsolation": isolation.isolated,
        "EnableInterContainerTrafficEncryption": isolation.encrypt_between,
    }
    return found if vpc is None else {**found, "VpcConfig": vpc}
