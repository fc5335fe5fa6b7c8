"""The resources of a `ModelEndpoint`, each made in one function."""

from __future__ import annotations

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from cdk_ml_lens.core.bucket import SecureBucket
from cdk_ml_lens.core.nag import acknowledge
from cdk_ml_lens.hosting import rendering, scaling
from cdk_ml_lens.hosting.asynchronous import AsyncInference
from cdk_ml_lens.hosting.capture import DataCapture
from cdk_ml_lens.hosting.execution_role import ExecutionRole
from cdk_ml_lens.hosting.variants import AnyVariant, ServerlessVariant, Variant

_EXPIRE_DAYS = 365


def log_group(scope: Construct, endpoint_name: str, key: kms.IKey) -> logs.LogGroup:
    """Make the log group that SageMaker AI writes to; its name is given, so it goes with the stack."""
    return logs.LogGroup(
        scope,
        "Logs",
        log_group_name=f"/aws/sagemaker/Endpoints/{endpoint_name}",
        encryption_key=key,
        retention=logs.RetentionDays.THREE_MONTHS,
        removal_policy=cdk.RemovalPolicy.DESTROY,
    )


def model(scope: Construct, variant: AnyVariant, execution: ExecutionRole) -> sagemaker.CfnModel:
    """Make the model of one variant, isolated unless serverless."""
    assert variant.model is not None
    made = sagemaker.CfnModel(
        scope,
        f"Model{variant.name}",
        execution_role_arn=execution.role.role_arn,
        enable_network_isolation=not isinstance(variant, ServerlessVariant),
        vpc_config=rendering.network(variant.model),
        **rendering.containers(scope, variant.model),
    )
    made.node.add_dependency(execution)
    if isinstance(variant, ServerlessVariant):
        reason = "Serverless endpoints know neither network isolation nor a VPC; a Variant with instances has both."
        acknowledge(made, "SM1", reason, pack="MlLens")
    return made


def config(
    scope: Construct,
    variants: Sequence[AnyVariant],
    models: Sequence[sagemaker.CfnModel],
    execution: ExecutionRole,
    key: kms.IKey,
) -> sagemaker.CfnEndpointConfig:
    """Make the configuration; without models it hosts inference components under the execution role."""
    names: list[str | None] = [made.attr_model_name for made in models]
    names = names or [None] * len(variants)
    rendered = [rendering.variant(variant, name) for variant, name in zip(variants, names, strict=True)]
    shadow = [isinstance(variant, Variant) and variant.shadow for variant in variants]
    made = sagemaker.CfnEndpointConfig(
        scope,
        "Config",
        kms_key_id=rendering.volume_key(variants, key),
        production_variants=[entry for entry, is_shadow in zip(rendered, shadow, strict=True) if not is_shadow],
        shadow_production_variants=[entry for entry, is_shadow in zip(rendered, shadow, strict=True) if is_shadow]
        or None,
        execution_role_arn=None if models else execution.role.role_arn,
        enable_network_isolation=None if models else True,
    )
    made.node.add_dependency(execution)
    return made


def capture(
    scope: Construct,
    made: sagemaker.CfnEndpointConfig,
    wanted: DataCapture | None,
    execution: ExecutionRole,
    key: kms.IKey,
) -> None:
    """Keep traffic, in the caller's bucket or a new one."""
    if wanted is None:
        return
    bucket = _bucket(scope, "Captures", wanted.bucket, key)
    execution.write_captures(bucket, wanted.prefix, key)
    made.data_capture_config = rendering.data_capture(wanted, bucket, key)


def asynchronous(
    scope: Construct,
    made: sagemaker.CfnEndpointConfig,
    wanted: AsyncInference | None,
    execution: ExecutionRole,
    key: kms.IKey,
) -> None:
    """Make the endpoint asynchronous, with its answers in the caller's bucket or a new one."""
    if wanted is None:
        return
    bucket = _bucket(scope, "Answers", wanted.bucket, key)
    execution.write_answers(bucket, wanted.prefix, key)
    for topic in (wanted.success_topic, wanted.error_topic):
        execution.notify(topic, key)
    made.async_inference_config = rendering.async_config(wanted, bucket, key)


def autoscaling(
    scope: Construct,
    name: str,
    variants: Sequence[AnyVariant],
    endpoint: sagemaker.CfnEndpoint,
    *,
    asynchronous: bool,
) -> None:
    """Scale every variant that asks for it, each under ids of its own."""
    for variant in variants:
        wanted = variant.autoscaling
        if wanted is None or variant.model is None:
            continue
        if isinstance(variant, ServerlessVariant):
            scaled = scaling.provisioned(name, variant.name)
        elif asynchronous:
            scaled = scaling.backlog(name, variant.name)
        else:
            scaled = scaling.instances(name, variant.name, wanted)
        target = scaling.ScaledTarget(
            scope, f"Scaling{variant.name}", scaled=scaled, autoscaling=wanted, after=[endpoint]
        )
        if asynchronous:
            target.track_backlog(name, wanted)
            target.step_out_of_zero(_backlog_without_capacity(name))


def _backlog_without_capacity(name: str) -> cloudwatch.Metric:
    return cloudwatch.Metric(
        namespace="AWS/SageMaker",
        metric_name="HasBacklogWithoutCapacity",
        dimensions_map={"EndpointName": name},
        statistic="Average",
        period=cdk.Duration.minutes(1),
    )


def _bucket(scope: Construct, id: str, given: s3.IBucket | None, key: kms.IKey) -> s3.IBucket:
    if given is not None:
        return given
    return SecureBucket(scope, id, encryption_key=key, expire_days=_EXPIRE_DAYS).bucket
