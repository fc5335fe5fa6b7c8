"""Every bucket of every stack and example: encrypted, private, versioned, with a lifecycle, and over TLS only."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from cdk_ml_lens.review.template import Template
from tests.local.iam_proof import catalog

CLOSED = {"BlockPublicAcls": True, "BlockPublicPolicy": True, "IgnorePublicAcls": True, "RestrictPublicBuckets": True}
Buckets = dict[str, dict[str, Any]]


@cache
def everything() -> Buckets:
    """Return the properties of all buckets, by setting and name."""
    return {
        f"{setting} {name}": properties
        for setting, template in catalog.templates().items()
        for name, properties in of_type(template, "AWS::S3::Bucket")
    }


def of_type(template: Template, kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, resource in template.document["Resources"].items():
        if resource["Type"] == kind:
            yield name, resource.get("Properties", {})


def test_there_are_buckets_in_the_stacks_and_examples() -> None:
    assert any(name.startswith("stack ") for name in everything())
    assert any(name.startswith("examples/") for name in everything())


def test_every_bucket_has_a_key_of_ours_but_those_that_take_access_logs() -> None:
    """S3 delivers access logs only to buckets with its own keys.

    Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/troubleshooting-server-access-logging.html
    """
    for name, properties in everything().items():
        (rule,) = properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        default = rule["ServerSideEncryptionByDefault"]
        if name in takers_of_logs():
            assert default == {"SSEAlgorithm": "AES256"}, name
        else:
            assert default["SSEAlgorithm"] == "aws:kms", name
            assert default["KMSMasterKeyID"], name


def takers_of_logs() -> set[str]:
    return {
        f"{name.rpartition(' ')[0]} {properties['LoggingConfiguration']['DestinationBucketName']['Ref']}"
        for name, properties in everything().items()
        if "DestinationBucketName" in properties.get("LoggingConfiguration", {})
    }


def test_every_bucket_blocks_public_access_and_keeps_versions() -> None:
    for name, properties in everything().items():
        assert properties["PublicAccessBlockConfiguration"] == CLOSED, name
        assert "AccessControl" not in properties, name
        assert properties["VersioningConfiguration"] == {"Status": "Enabled"}, name


def test_every_bucket_lets_old_versions_and_broken_uploads_go() -> None:
    for name, properties in everything().items():
        rules = [rule for rule in properties["LifecycleConfiguration"]["Rules"] if rule["Status"] == "Enabled"]
        assert any("NoncurrentVersionExpiration" in rule for rule in rules), name
        assert any("AbortIncompleteMultipartUpload" in rule for rule in rules), name


def test_every_bucket_refuses_requests_without_tls() -> None:
    for setting, template in catalog.templates().items():
        closed = {
            policy["Bucket"]["Ref"]
            for _, policy in of_type(template, "AWS::S3::BucketPolicy")
            if any(map(closes, policy["PolicyDocument"]["Statement"]))
        }
        assert {name for name, _ in of_type(template, "AWS::S3::Bucket")} == closed, setting


def closes(statement: dict[str, Any]) -> bool:
    """Tell whether a statement denies everything to everybody who comes without TLS."""
    said = {name: statement.get(name) for name in ("Effect", "Action", "Principal", "Condition")}
    insecure = {"Bool": {"aws:SecureTransport": "false"}}
    return said == {"Effect": "Deny", "Action": "s3:*", "Principal": {"AWS": "*"}, "Condition": insecure}
