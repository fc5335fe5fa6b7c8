"""Renders hosting values to CloudFormation, each in one place."""

from __future__ import annotations

import re
from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from cdk_ml_lens.core.errors import Faults
from cdk_ml_lens.hosting.model import ModelSource
from cdk_ml_lens.hosting.variants import DataCapture, Variant

# Families with instance store: a "d" after the generation, and the accelerated ones that always have it.
_LOCAL_STORAGE = re.compile(r"ml\.([a-z]+[0-9]+[a-z]*d[a-z]*|g5|g6|g6e|p5|p5e|p5en|trn1|trn1n|trn2)\.")
_ENDPOINT_NAME = re.compile(r"[A-Za-z0-9](-*[A-Za-z0-9]){0,62}")


def check_endpoint_name(name: str | None) -> None:
    """Raise a `PropError` when SageMaker AI would refuse the name."""
    if name is None:
        return
    faults = Faults("model endpoint")
    faults.unless(
        _ENDPOINT_NAME.fullmatch(name) is not None,
        "endpoint_name",
        "be 1 to 63 of A-Z a-z 0-9 - and no - at an end",
        name,
    )
    faults.raise_any()


def stable_name(scope: Construct) -> str:
    """Return a name from the construct's path: the same in every synth, unique in the account."""
    return cdk.Names.unique_resource_name(scope, max_length=63, separator="-")


def container(scope: Construct, model: ModelSource) -> sagemaker.CfnModel.ContainerDefinitionProperty:
    """Return the container definition of one model."""
    return sagemaker.CfnModel.ContainerDefinitionProperty(
        image=model.image.uri(scope),
        model_data_url=model.artifact.url(),
        environment={**model.environment, "SAGEMAKER_REGION": cdk.Aws.REGION},
    )


def production_variant(variant: Variant, model_name: str) -> sagemaker.CfnEndpointConfig.ProductionVariantProperty:
    """Return one production variant."""
    return sagemaker.CfnEndpointConfig.ProductionVariantProperty(
        variant_name=variant.name,
        model_name=model_name,
        instance_type=variant.instance_type,
        initial_instance_count=variant.instance_count,
        initial_variant_weight=variant.weight,
    )


def volume_key(variants: Sequence[Variant], key: kms.IKey) -> str | None:
    """Return the key of the storage volumes, or None where the instances encrypt their local disks in hardware.

    Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateEndpointConfig.html, KmsKeyId: it must
    not be given when an instance type with local storage is used.
    """
    local = [variant.instance_type for variant in variants if _LOCAL_STORAGE.match(variant.instance_type)]
    faults = Faults("model endpoint")
    faults.unless(
        len(local) in (0, len(variants)),
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
    kind = sagemaker.CfnEndpointConfig
    modes = [mode for mode, wanted in (("Input", capture.requests), ("Output", capture.responses)) if wanted]
    return kind.DataCaptureConfigProperty(
        enable_capture=True,
        initial_sampling_percentage=capture.percent,
        destination_s3_uri=f"s3://{bucket.bucket_name}/{capture.prefix.strip('/')}",
        kms_key_id=key.key_arn,
        capture_options=[kind.CaptureOptionProperty(capture_mode=mode) for mode in modes],
        capture_content_type_header=kind.CaptureContentTypeHeaderProperty(
            csv_content_types=["text/csv"], json_content_types=["application/json", "application/jsonlines"]
        ),
    )
