"""Buckets of a template are encrypted as the template says; MiniStack reads the property by its API only."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

from ministack.services import s3
from ministack.services.cloudformation import provisioners


def install() -> None:
    """Apply ``BucketEncryption`` of ``AWS::S3::Bucket`` when a stack makes or changes a bucket.

    Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketEncryption.html
    """
    encryption = ("BucketEncryption", _xml, s3._put_bucket_encryption, s3._delete_bucket_encryption)
    provisioners._S3_BUCKET_CONFIGURATIONS = (*provisioners._S3_BUCKET_CONFIGURATIONS, encryption)


def _xml(encryption: dict[str, Any]) -> bytes:
    """Return the property as the API's document."""
    root = ElementTree.Element("ServerSideEncryptionConfiguration")
    for rule in encryption.get("ServerSideEncryptionConfiguration", []):
        element = ElementTree.SubElement(root, "Rule")
        default = rule.get("ServerSideEncryptionByDefault")
        if default is not None:
            applied = ElementTree.SubElement(element, "ApplyServerSideEncryptionByDefault")
            for name in ("SSEAlgorithm", "KMSMasterKeyID"):
                if name in default:
                    ElementTree.SubElement(applied, name).text = str(default[name])
        if "BucketKeyEnabled" in rule:
            ElementTree.SubElement(element, "BucketKeyEnabled").text = str(rule["BucketKeyEnabled"]).lower()
    return ElementTree.tostring(root)
