"""The two functions of a training pipeline: one judges, one registers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict

from constructs import Construct

from cdk_ml_lens.core import grants
from cdk_ml_lens.core.function import HandlerFunction
from cdk_ml_lens.core.nag import acknowledge, finding_of
from cdk_ml_lens.training.gate import ModelGate
from cdk_ml_lens.training.job_role import PULL
from cdk_ml_lens.training.plan import TrainingPlan
from cdk_ml_lens.training.refs import ModelGroup
from cdk_ml_lens.training.registration import Registration

_SECONDS = 60


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
    registry.grant_register(made.role)
    registry.grant_approve(made.role)
    # What was begun and cannot be finished is taken back; grant_register explains the packages.
    grants.allow(made.role, ["sagemaker:DeleteModelPackage"], [registry.packages_arn])
    manifests = registry.bucket.arn_for_objects("manifests/*")
    grants.allow(made.role, ["s3:DeleteObject"], [manifests])
    acknowledge(made.role, f"IAM5[{finding_of(scope, manifests)}]", "A manifest is named after its version.")
    # SageMaker AI looks up the image and its digest as the caller of CreateModelPackage.
    grants.allow(made.role, PULL, [serving.image.repository_arn(scope)])
    return made


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
    return HandlerFunction(
        scope,
        id,
        handler=handler,
        environment=environment,
        encryption_key=registry.encryption_key,
        timeout_seconds=_SECONDS,
    )
