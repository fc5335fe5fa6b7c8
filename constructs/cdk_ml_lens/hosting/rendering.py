"""Renders hosting values to CloudFormation, each in one place."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from cdk_ml_lens.core.errors import Faults
from cdk_ml_lens.core.instance_types import has_local_storage
from cdk_ml_lens.core.refs import PrivateNetwork
from cdk_ml_lens.hosting.asynchronous import AsyncInference
from cdk_ml_lens.hosting.capture import DataCapture
from cdk_ml_lens.hosting.model import ModelSource
from cdk_ml_lens.hosting.model_sources import AnyModel, MultiModelSource, PipelineSource
from cdk_ml_lens.hosting.variants import AnyVariant, ServerlessVariant, Variant

_ENDPOINT_NAME = re.compile(r"[A-Za-z0-9](-*[A-Za-z0-9]){0,62}")
_CONFIG = sagemaker.CfnEndpointConfig


def check_endpoint_name(name: str | None) -> None:
    """Raise a `PropError` when SageMaker AI would refuse the name."""
    if name is None:
        return
    faults = Faults("model endpoint")
    legal = _ENDPOINT_NAME.fullmatch(name) is not None
    faults.unless(legal, "endpoint_name", "be 1 to 63 of A-Z a-z 0-9 - and no - at an end", name)
    faults.raise_any()


def stable_name(scope: Construct) -> str:
    """Return a name from the construct's path: the same in every synth, unique in the account."""
    return cdk.Names.unique_resource_name(scope, max_length=63, separator="-")


def containers(scope: Construct, model: AnyModel) -> dict[str, Any]:
    """Return the props of a CfnModel that say what it runs."""
    if isinstance(model, PipelineSource):
        return {
            "containers": [_container(scope, stage) for stage in model.stages],
            "inference_execution_config": sagemaker.CfnModel.InferenceExecutionConfigProperty(mode="Serial"),
        }
    if isinstance(model, MultiModelSource):
        return {"primary_container": _multi_model(scope, model)}
    return {"primary_container": _container(scope, model)}


def network(model: AnyModel | None) -> sagemaker.CfnModel.VpcConfigProperty | None:
    """Return the VPC of a model, if it has one."""
    place = model.network if isinstance(model, ModelSource) else None
    return None if place is None else vpc(place)


def vpc(place: PrivateNetwork) -> sagemaker.CfnModel.VpcConfigProperty:
    """Return a place as the VPC of a model."""
    return sagemaker.CfnModel.VpcConfigProperty(
        subnets=_subnet_ids(place),
        security_group_ids=[place.security_group.security_group_id],
    )


def _subnet_ids(place: PrivateNetwork) -> list[str]:
    chosen = place.subnets
    return place.vpc.select_subnets(
        subnets=chosen.subnets, subnet_type=chosen.subnet_type, subnet_group_name=chosen.subnet_group_name
    ).subnet_ids


def variant(of: AnyVariant, model_name: str | None) -> sagemaker.CfnEndpointConfig.ProductionVariantProperty:
    """Return one production or shadow variant."""
    if isinstance(of, ServerlessVariant):
        return _CONFIG.ProductionVariantProperty(
            variant_name=of.name,
            model_name=model_name,
            initial_variant_weight=1,
            serverless_config=_CONFIG.ServerlessConfigProperty(
                memory_size_in_mb=of.memory_mb,
                max_concurrency=of.max_concurrency,
                provisioned_concurrency=of.provisioned_concurrency,
            ),
        )
    return _CONFIG.ProductionVariantProperty(
        variant_name=of.name,
        model_name=model_name,
        instance_type=of.instance_type,
        initial_instance_count=of.instance_count,
        initial_variant_weight=of.weight,
        managed_instance_scaling=_managed_scaling(of),
    )


def volume_key(variants: Sequence[AnyVariant], key: kms.IKey) -> str | None:
    """Return the key of the storage volumes, or None where the instances encrypt their local disks in hardware.

    Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateEndpointConfig.html, KmsKeyId: it must
    not be given when an instance type with local storage is used.
    """
    types = [of.instance_type for of in variants if isinstance(of, Variant)]
    local = [instance_type for instance_type in types if has_local_storage(instance_type)]
    faults = Faults("model endpoint")
    faults.unless(
        len(local) in (0, len(types)),
        "variants",
        "all have local storage or none of them",
        local,
        "a key for the others' volumes is refused beside them",
    )
    faults.raise_any()
    return None if local else key.key_arn


def data_capture(
    capture: DataCapture, bucket: s3.IBucket, key: kms.IKey
) -> sagemaker.CfnEndpointConfig.DataCaptureConfigProperty:
    """Return the capture of requests and answers; CSV and JSON bodies stay readable."""
    modes = [mode for mode, wanted in (("Input", capture.requests), ("Output", capture.responses)) if wanted]
    return _CONFIG.DataCaptureConfigProperty(
        enable_capture=True,
        initial_sampling_percentage=capture.percent,
        destination_s3_uri=f"s3://{bucket.bucket_name}/{capture.prefix.strip('/')}",
        kms_key_id=key.key_arn,
        capture_options=[_CONFIG.CaptureOptionProperty(capture_mode=mode) for mode in modes],
        capture_content_type_header=_CONFIG.CaptureContentTypeHeaderProperty(
            csv_content_types=["text/csv"], json_content_types=["application/json", "application/jsonlines"]
        ),
    )


def async_config(
    of: AsyncInference, bucket: s3.IBucket, key: kms.IKey
) -> sagemaker.CfnEndpointConfig.AsyncInferenceConfigProperty:
    """Return the asynchronous output, notifications and concurrency."""
    base = f"s3://{bucket.bucket_name}/{of.prefix}"
    topics = _CONFIG.AsyncInferenceNotificationConfigProperty(
        success_topic=None if of.success_topic is None else of.success_topic.topic_arn,
        error_topic=None if of.error_topic is None else of.error_topic.topic_arn,
    )
    return _CONFIG.AsyncInferenceConfigProperty(
        output_config=_CONFIG.AsyncInferenceOutputConfigProperty(
            s3_output_path=f"{base}/answers/",
            s3_failure_path=f"{base}/failures/",
            kms_key_id=key.key_arn,
            notification_config=None if of.success_topic is None and of.error_topic is None else topics,
        ),
        client_config=None
        if of.max_concurrent_per_instance is None
        else _CONFIG.AsyncInferenceClientConfigProperty(
            max_concurrent_invocations_per_instance=of.max_concurrent_per_instance
        ),
    )


def _managed_scaling(of: Variant) -> sagemaker.CfnEndpointConfig.ManagedInstanceScalingProperty | None:
    """Instances that host inference components are scaled by SageMaker AI itself, down to zero if allowed."""
    if of.model is not None or of.autoscaling is None:
        return None
    return _CONFIG.ManagedInstanceScalingProperty(
        status="ENABLED",
        min_instance_count=of.autoscaling.min_capacity,
        max_instance_count=of.autoscaling.max_capacity,
    )


def _container(scope: Construct, model: ModelSource) -> sagemaker.CfnModel.ContainerDefinitionProperty:
    return sagemaker.CfnModel.ContainerDefinitionProperty(
        image=model.image.uri(scope),
        model_data_url=model.artifact.url(),
        environment={**model.environment, "SAGEMAKER_REGION": cdk.Aws.REGION},
    )


def _multi_model(scope: Construct, model: MultiModelSource) -> sagemaker.CfnModel.ContainerDefinitionProperty:
    kind = sagemaker.CfnModel
    return kind.ContainerDefinitionProperty(
        image=model.container_image().uri(scope),
        mode="MultiModel",
        model_data_url=model.url(),
        multi_model_config=kind.MultiModelConfigProperty(model_cache_setting="Enabled" if model.cache else "Disabled"),
        environment={**model.environment, "SAGEMAKER_REGION": cdk.Aws.REGION},
    )
