"""Makes what an endpoint of a registry stands on: role, captures, functions with their settings, the start rule."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from constructs import Construct

from cdk_ml_lens.core import grants
from cdk_ml_lens.core.bucket import SecureBucket
from cdk_ml_lens.core.function import HandlerFunction
from cdk_ml_lens.core.machine import DefinedMachine
from cdk_ml_lens.core.nag import explain
from cdk_ml_lens.hosting import rendering
from cdk_ml_lens.hosting.capture import DataCapture
from cdk_ml_lens.hosting.deployment_parts import Registry
from cdk_ml_lens.hosting.deployment_shape import EndpointShape
from cdk_ml_lens.hosting.execution_role import PULL, ExecutionRole
from cdk_ml_lens.hosting.rollout import Rollout
from cdk_ml_lens.hosting.rollout_rendering import deployment

if TYPE_CHECKING:
    from cdk_ml_lens.hosting.approved_deployment import ApprovedDeployment

_CAPTURE_DAYS = 365
_HASHING_SECONDS = 600  # an artifact of a gigabyte is read and hashed in about a minute
_FUNCTION_MB = 1024
_STILL_APPROVED = (
    "EventBridge tries the start for 24 hours. The registry keeps the approval, which is all that the event holds: the "
    "machine can be started for the version by hand (grant_start)."
)


def execution_role(
    scope: Construct, registry: Registry, shape: EndpointShape, log_group: logs.ILogGroup
) -> ExecutionRole:
    """Make the endpoint's role: it reads the registry's artifacts and pulls the named images."""
    made = ExecutionRole(scope, "Execution", models=[], log_group=log_group)
    registry.grant_artifacts(made.role)
    grants.allow(made.role, PULL, [image.repository_arn(scope) for image in shape.images])
    if shape.network is not None:
        made.join_network()
    return made


def capture_bucket(
    scope: Construct, wanted: DataCapture | None, execution: ExecutionRole, key: kms.IKey
) -> s3.IBucket | None:
    """Return the bucket of captured traffic, the caller's or a new one, writable by the endpoint."""
    if wanted is None:
        return None
    bucket = wanted.bucket
    if bucket is None:
        bucket = SecureBucket(scope, "Captures", encryption_key=key, expire_days=_CAPTURE_DAYS).bucket
    execution.write_captures(bucket, wanted.prefix, key)
    return bucket


def prepare_function(
    scope: ApprovedDeployment, registry: Registry, shape: EndpointShape, *, prefix: str, role_arn: str
) -> HandlerFunction:
    """Make the function that works out a deployment; it reads the registry and changes nothing."""
    made = HandlerFunction(
        scope,
        "Prepare",
        handler="prepare_deployment",
        environment={
            "REGISTRY_BUCKET": registry.bucket.bucket_name,
            "GROUP": registry.group_arn,
            "EXPIRE_DAYS": _optional(registry.approval.expire_days),
            "NAME_PREFIX": prefix,
            "EXECUTION_ROLE_ARN": role_arn,
            "VARIANT_NAME": shape.variant_name,
            "INSTANCE_TYPE": _optional(shape.instance_type),
            "INSTANCE_COUNT": _optional(shape.instance_count),
            "VOLUME_KEY_ARN": scope.encryption_key.key_arn,
            "DATA_CAPTURE": _capture(scope, shape),
            "VPC_CONFIG": "" if shape.network is None else _json(scope, rendering.vpc(shape.network)),
        },
        encryption_key=scope.encryption_key,
        timeout_seconds=_HASHING_SECONDS,
        memory_mb=_FUNCTION_MB,
    )
    made.answers("Step Functions")
    registry.grant_read(made.role)
    return made


def record_function(scope: ApprovedDeployment, registry: Registry) -> HandlerFunction | None:
    """Make the function that writes the approver into a manifest; another account's registry is not ours to write."""
    if registry.shared:
        return None
    made = HandlerFunction(
        scope,
        "Record",
        handler="record_deployment",
        environment={"REGISTRY_BUCKET": registry.bucket.bucket_name},
        encryption_key=scope.encryption_key,
    )
    made.answers("Step Functions")
    registry.grant_record(made.role)
    return made


def guards(scope: Construct, rollout: Rollout, alarm_names: Sequence[str]) -> dict[str, Any]:
    """Return the guardrails of an update as the API takes them, from the one rendering that CloudFormation gets."""
    made: dict[str, Any] = _api_shape(scope, deployment(rollout, alarm_names))
    return made


def start_on_approval(scope: Construct, registry: Registry, machine: DefinedMachine) -> events.CfnRule:
    """Start the machine with each version that becomes approved.

    Source: https://docs.aws.amazon.com/sagemaker/latest/dg/automating-sagemaker-with-eventbridge.html
    """
    role = iam.Role(scope, "StartRole", assumed_by=iam.ServicePrincipal("events.amazonaws.com"))
    machine.grant_start(role)
    transformer = events.CfnRule.InputTransformerProperty(
        input_paths_map={"arn": "$.detail.ModelPackageArn"}, input_template='{"model_package_arn": <arn>}'
    )
    rule = events.CfnRule(
        scope,
        "OnApproval",
        event_pattern={
            "source": ["aws.sagemaker"],
            "detail-type": ["SageMaker Model Package State Change"],
            "detail": {"ModelPackageGroupName": [registry.group_name], "ModelApprovalStatus": ["Approved"]},
        },
        targets=[
            events.CfnRule.TargetProperty(
                id="Deploy", arn=machine.arn, role_arn=role.role_arn, input_transformer=transformer
            )
        ],
    )
    rule.node.add_dependency(role)
    explain(rule, {"EventBusDLQ": _STILL_APPROVED})
    return rule


def _capture(scope: ApprovedDeployment, shape: EndpointShape) -> str:
    if shape.capture is None or scope.capture_bucket is None:
        return ""
    return _json(scope, rendering.data_capture(shape.capture, scope.capture_bucket, scope.encryption_key))


def _json(scope: Construct, rendered: object) -> str:
    return cdk.Stack.of(scope).to_json_string(_api_shape(scope, rendered))


def _api_shape(scope: Construct, rendered: object) -> Any:
    """Return a rendered CloudFormation property as the API takes it: the members' names begin with a capital."""
    return _capitals(cdk.Stack.of(scope).resolve(rendered))


def _capitals(node: Any) -> Any:
    if isinstance(node, dict) and len(node) == 1 and next(iter(node)).startswith(("Ref", "Fn::")):
        return cdk.Token.as_string(node)  # an intrinsic function becomes a token again, for the JSON texts
    if isinstance(node, dict):
        return {f"{name[:1].upper()}{name[1:]}": _capitals(value) for name, value in node.items()}
    return [_capitals(item) for item in node] if isinstance(node, list) else node


def _optional(value: object | None) -> str:
    return "" if value is None else str(value)
