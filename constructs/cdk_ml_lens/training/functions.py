"""The two functions of a training pipeline: one judges, one registers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict

from aws_cdk import aws_iam as iam
from constructs import Construct

from cdk_ml_lens.core import grants
from cdk_ml_lens.core.function import HandlerFunction
from cdk_ml_lens.core.nag import acknowledge, finding_of
from cdk_ml_lens.training import machine_access
from cdk_ml_lens.training.gate import ModelGate
from cdk_ml_lens.training.job_role import PULL
from cdk_ml_lens.training.plan import TrainingPlan
from cdk_ml_lens.training.refs import ModelGroup
from cdk_ml_lens.training.registration import Registration

_SECONDS = 60
_APPROVED = "Approved"


def judge_function(scope: Construct, *, registry: ModelGroup, gate: ModelGate) -> HandlerFunction:
    """Make the function that compares numbers with the gate and writes the decision."""
    made = _function(scope, "Judge", "judge_candidate", registry, {"GATE": gate.render()})
    objects = registry.bucket.arn_for_objects("evaluations/*")
    grants.allow(made.role, ["s3:GetObject", "s3:PutObject"], [objects])
    acknowledge(made.role, f"IAM5[{finding_of(scope, objects)}]", "Evaluations are named after executions.")
    grants.use_key(made.role, registry.encryption_key, "kms:Decrypt", "kms:GenerateDataKey")
    return made


def register_function(scope: Construct, plan: TrainingPlan, registration: Registration) -> HandlerFunction:
    """Make the function that writes a version and its manifest."""
    serving, registry = plan.algorithm.serving, plan.registry
    made = _function(scope, "Register", "register_candidate", registry, _environment(scope, plan, registration))
    # What was begun and cannot be finished is taken back.
    approves = ["UpdateModelPackage"] if registry.approval_status == _APPROVED else []
    actions = ["CreateModelPackage", "DeleteModelPackage", "DescribeModelPackage", *approves]
    machine_access.allow_versions(scope, made.role, registry, actions)
    _keep_manifests(scope, made.role, registry)
    # SageMaker AI looks up the image and its digest as the caller of CreateModelPackage.
    grants.allow(made.role, PULL, [serving.image.repository_arn(scope)])
    return made


def _keep_manifests(scope: Construct, role: iam.IRole, registry: ModelGroup) -> None:
    """Read evaluation, decision and artifact, write a manifest or take it back; list, to tell missing from forbidden.

    Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
    """
    objects, manifests = (registry.bucket.arn_for_objects(keys) for keys in ("*", "manifests/*"))
    grants.allow(role, ["s3:GetObject"], [objects])
    grants.allow(role, ["s3:DeleteObject", "s3:PutObject"], [manifests])
    grants.allow(role, ["s3:ListBucket"], [registry.bucket.bucket_arn])
    grants.use_key(role, registry.encryption_key, "kms:Decrypt", "kms:GenerateDataKey")
    for named in (objects, manifests):
        reason = "Objects of the registry are named after executions and versions."
        acknowledge(role, f"IAM5[{finding_of(scope, named)}]", reason)


def _environment(scope: Construct, plan: TrainingPlan, registration: Registration) -> dict[str, str]:
    serving, registry = plan.algorithm.serving, plan.registry
    return {
        "GROUP": registry.group_name,
        "BUCKET": registry.bucket.bucket_name,
        "APPROVAL_STATUS": registry.approval_status,
        "IMAGE": serving.image.uri(scope),
        "ENVIRONMENT": json.dumps(dict(serving.environment), sort_keys=True),
        "CONTENT_TYPES": ",".join(serving.content_types),
        "RESPONSE_TYPES": ",".join(serving.response_types),
        "CODE_URI": "" if plan.code is None else plan.code.url,
        "CODE_SHA256": "" if plan.code is None else plan.code.sha256,
        "ENDPOINT": json.dumps(asdict(registration), sort_keys=True),
    }


def _function(
    scope: Construct, id: str, handler: str, registry: ModelGroup, environment: Mapping[str, str]
) -> HandlerFunction:
    made = HandlerFunction(
        scope,
        id,
        handler=handler,
        environment=environment,
        encryption_key=registry.encryption_key,
        timeout_seconds=_SECONDS,
    )
    made.answers("Step Functions")
    return made
