"""A mocked account with a registry: a group of model packages, an artifact, and a manifest for each version."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field, replace
from typing import Any

import boto3

from ml_lens_runtime.deployment_plan import Settings

REGION = "eu-west-1"
BUCKET = "registry"
GROUP = "turbines"
ARTIFACT = b"the bytes of a model"
SETTINGS = Settings(
    bucket=BUCKET,
    group=GROUP,
    expire_days=30,
    name_prefix="turbines-deploy",
    role_arn="arn:aws:iam::123456789012:role/endpoint",
    variant_name="primary",
    instance_type=None,
    instance_count=None,
    volume_key_arn="arn:aws:kms:eu-west-1:123456789012:key/k",
    capture=None,
    network=None,
)


@dataclass
class Account:
    """What was made in the mocked account."""

    s3: Any = field(default_factory=lambda: boto3.client("s3", region_name=REGION))
    sagemaker: Any = field(default_factory=lambda: boto3.client("sagemaker", region_name=REGION))
    settings: Settings = SETTINGS

    def make(self) -> Account:
        """Make bucket and group."""
        self.s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
        self.s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        self.sagemaker.create_model_package_group(ModelPackageGroupName=GROUP, ModelPackageGroupDescription="d")
        return self

    def set(self, **changes: Any) -> None:
        """Change settings."""
        self.settings = replace(self.settings, **changes)

    def register(self, version: str, *, status: str = "Approved", execution: str = "e1", **changes: Any) -> str:
        """Register a version as the pipeline does, and return its ARN."""
        data, uri = f"s3://{BUCKET}/models/{version}/model.tar.gz", manifest_uri(version, execution)
        self.s3.put_object(Bucket=BUCKET, Key=f"models/{version}/model.tar.gz", Body=ARTIFACT)
        arn = str(
            self.sagemaker.create_model_package(
                ModelPackageGroupName=GROUP,
                ModelApprovalStatus=status,
                InferenceSpecification={
                    "Containers": [{"Image": "image:1", "ModelDataUrl": data}],
                    "SupportedContentTypes": ["text/csv"],
                    "SupportedResponseMIMETypes": ["text/csv"],
                },
                CustomerMetadataProperties={"manifest": uri, "model_version": version},
            )["ModelPackageArn"]
        )
        self.write(version, execution, manifest(version, arn, **changes))
        return arn

    def write(self, version: str, execution: str, document: object) -> None:
        """Write a manifest."""
        key = manifest_uri(version, execution).removeprefix(f"s3://{BUCKET}/")
        self.s3.put_object(Bucket=BUCKET, Key=key, Body=json.dumps(document).encode())

    def manifest(self, version: str, execution: str = "e1") -> dict[str, Any]:
        """Return a manifest as it is stored now."""
        key = manifest_uri(version, execution).removeprefix(f"s3://{BUCKET}/")
        found: dict[str, Any] = json.loads(self.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read())
        return found


def manifest_uri(version: str, execution: str = "e1") -> str:
    return f"s3://{BUCKET}/manifests/{version}-{execution}.json"


def manifest(version: str, arn: str, **changes: Any) -> dict[str, Any]:
    """Return a manifest as the pipeline writes it."""
    return {
        "manifest_version": 1,
        "model_version": version,
        "model_package_arn": arn,
        "model_data": f"s3://{BUCKET}/models/{version}/model.tar.gz",
        "model_data_sha256": hashlib.sha256(ARTIFACT).hexdigest(),
        "image": "111122223333.dkr.ecr.eu-west-1.amazonaws.com/sklearn@sha256:abc",
        "environment": {"SAGEMAKER_PROGRAM": "inference.py"},
        "hyperparameters": {"trees": "100"},
        "metrics": {"alert_rate": 0.001},
        "approver": None,
        "endpoint": {"variant_name": "primary", "instance_type": "ml.m5.large", "instance_count": 2},
        "execution": "e1",
        **changes,
    }
