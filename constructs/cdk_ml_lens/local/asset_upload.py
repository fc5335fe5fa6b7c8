"""Uploads the file assets of a stack to the laptop cloud, where the CDK bootstrap would have put its bucket."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from cdk_ml_lens.local.cloud_assembly import StackArtifact

if TYPE_CHECKING:
    from cdk_ml_lens.local.cloud import LaptopCloud

BOOTSTRAP_VERSION = "30"


def upload(cloud: LaptopCloud, artifact: StackArtifact) -> str | None:
    """Upload what is not there yet; return the URL of the template if it is among the assets."""
    s3, template_url = cloud.client("s3"), None
    _bootstrap(cloud, json.loads(artifact.template.read_text()))
    for asset in artifact.assets:
        bucket, key = _resolved(cloud, asset.bucket), _resolved(cloud, asset.key)
        if not _exists(s3, bucket, key):
            s3.create_bucket(Bucket=bucket)
            s3.put_object(Bucket=bucket, Key=key, Body=asset.content())
        if asset.source == artifact.template:
            template_url = f"{cloud.endpoint_url}/{bucket}/{key}"
    return template_url


def _bootstrap(cloud: LaptopCloud, template: dict[str, Any]) -> None:
    parameter = template.get("Parameters", {}).get("BootstrapVersion")
    if parameter is not None:
        cloud.client("ssm").put_parameter(
            Name=parameter["Default"], Value=BOOTSTRAP_VERSION, Type="String", Overwrite=True
        )


def _resolved(cloud: LaptopCloud, text: str) -> str:
    values = {"AccountId": cloud.account, "Region": cloud.region, "Partition": "aws"}
    for name, value in values.items():
        text = text.replace(f"${{AWS::{name}}}", value)
    return text


def _exists(s3: Any, bucket: str, key: str) -> bool:
    try:
        s3.head_object(Bucket=bucket, Key=key)
    except ClientError:
        return False
    return True
