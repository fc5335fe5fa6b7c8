"""Buckets of a template as the rules see them: which of them hold data, models or captures, and who says so."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from cdk_ml_lens.review import intrinsics, jobs
from cdk_ml_lens.review.template import Resource, Template

BUCKET = "AWS::S3::Bucket"
LAKE = (
    ("AWS::Glue::Table", "TableInput.StorageDescriptor.Location"),
    ("AWS::Glue::Database", "DatabaseInput.LocationUri"),
    ("AWS::Glue::Crawler", "Targets.S3Targets"),
    ("AWS::LakeFormation::Resource", "ResourceArn"),
    ("AWS::KinesisFirehose::DeliveryStream", "ExtendedS3DestinationConfiguration.BucketARN"),
    ("AWS::KinesisFirehose::DeliveryStream", "S3DestinationConfiguration.BucketARN"),
    ("AWS::SageMaker::FeatureGroup", "OfflineStoreConfig.S3StorageConfig.S3Uri"),
)
_MODELS = (
    ("AWS::SageMaker::Model", "PrimaryContainer.ModelDataUrl"),
    ("AWS::SageMaker::Model", "Containers"),
    ("AWS::SageMaker::ModelPackage", "InferenceSpecification.Containers"),
)
_CAPTURES = (
    ("AWS::SageMaker::EndpointConfig", "DataCaptureConfig.DestinationS3Uri"),
    ("AWS::SageMaker::EndpointConfig", "AsyncInferenceConfig.OutputConfig.S3OutputPath"),
)
_PLACEHOLDER = re.compile(r"\$\{([A-Za-z0-9]+)")


def of_lake(template: Template) -> dict[str, Resource]:
    """Return the buckets of tables, crawlers, streams and feature groups, by logical id, with the one that says so."""
    return dict(_used(template, LAKE))


def of_data(template: Template) -> dict[str, Resource]:
    """Return every bucket of job data, models, captures and the lake, with the one that says so."""
    return {**dict(_used(template, LAKE + _MODELS + _CAPTURES)), **dict(_of_jobs(template)), **of_lake(template)}


def of_models(template: Template) -> dict[str, Resource]:
    """Return the buckets that hold models: those that a model comes from, or that a job writes one to."""
    written = ("OutputDataConfig", "TrainingJobDefinition.OutputDataConfig")
    found = dict(_used(template, _MODELS))
    for job in jobs.of(template):
        for path in written:
            found |= dict.fromkeys(_named(template, job.get(path)), job.owner)
    return found


def _used(template: Template, places: tuple[tuple[str, str], ...]) -> Iterator[tuple[str, Resource]]:
    for cfn_type, path in places:
        for user in template.of_type(cfn_type):
            for bucket in template.targets(user.get(path)):
                if bucket.type == BUCKET:
                    yield bucket.logical_id, user


def _of_jobs(template: Template) -> Iterator[tuple[str, Resource]]:
    for job in jobs.of(template):
        if job.service == "sagemaker":
            for name in _named(template, job.arguments):
                yield name, job.owner


def _named(template: Template, value: Any) -> Iterator[str]:
    """Yield the buckets that placeholders inside a job's request name."""
    text = value if isinstance(value, str) else intrinsics.text(value)
    for name in dict.fromkeys(_PLACEHOLDER.findall(text)):
        resource = template.resource(name)
        if resource is not None and resource.type == BUCKET:
            yield name
