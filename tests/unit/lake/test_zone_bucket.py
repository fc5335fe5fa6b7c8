"""What a zone's value makes of its bucket: aging, archive, lock, copies elsewhere."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3

from cdk_ml_lens import DataLake, Lifecycle, ObjectLock, Replication, Zone
from tests.unit.templates import Template

Synth = Callable[[cdk.Stack], Template]


def bucket_of(template: Template) -> dict[str, Any]:
    (found,) = [item for id, item in template.of_type("AWS::S3::Bucket").items() if "Zone" in id]
    return dict(found["Properties"])


def test_objects_age_as_the_lifecycle_says(stack: cdk.Stack, synth: Synth) -> None:
    lifecycle = Lifecycle(tiering_days=30, archive_days=180, expire_days=400, noncurrent_days=7)
    DataLake(stack, "Lake", zones=[Zone(name="raw", lifecycle=lifecycle)])
    bucket = bucket_of(synth(stack))
    (rule,) = bucket["LifecycleConfiguration"]["Rules"]
    assert rule["Transitions"] == [{"StorageClass": "INTELLIGENT_TIERING", "TransitionInDays": 30}]
    assert rule["ExpirationInDays"] == 400
    assert rule["NoncurrentVersionExpiration"] == {"NoncurrentDays": 7}
    (tiering,) = bucket["IntelligentTieringConfigurations"]
    assert tiering["Tierings"] == [{"AccessTier": "ARCHIVE_ACCESS", "Days": 180}]


def test_without_tiering_objects_stay_where_they_are(stack: cdk.Stack, synth: Synth) -> None:
    DataLake(stack, "Lake", zones=[Zone(name="raw", lifecycle=Lifecycle(tiering_days=None))])
    (rule,) = bucket_of(synth(stack))["LifecycleConfiguration"]["Rules"]
    assert "Transitions" not in rule
    assert "ExpirationInDays" not in rule


def test_a_locked_zone_keeps_every_version(stack: cdk.Stack, synth: Synth) -> None:
    DataLake(stack, "Lake", zones=[Zone(name="raw", object_lock=ObjectLock(days=90))])
    bucket = bucket_of(synth(stack))
    assert bucket["ObjectLockEnabled"] is True
    lock = bucket["ObjectLockConfiguration"]["Rule"]["DefaultRetention"]
    assert lock == {"Days": 90, "Mode": "GOVERNANCE"}


def replicated(stack: cdk.Stack) -> None:
    copies = Replication(
        bucket=s3.Bucket.from_bucket_name(stack, "Copies", "copies-elsewhere"),
        encryption_key=kms.Key.from_key_arn(stack, "CopiesKey", "arn:aws:kms:eu-west-1:123456789012:key/1"),
    )
    DataLake(stack, "Lake", zones=[Zone(name="raw", replication=copies)])


def test_copies_are_encrypted_by_the_key_over_there(stack: cdk.Stack, synth: Synth) -> None:
    replicated(stack)
    template = synth(stack)
    (rule,) = bucket_of(template)["ReplicationConfiguration"]["Rules"]
    assert rule["SourceSelectionCriteria"] == {"SseKmsEncryptedObjects": {"Status": "Enabled"}}
    assert rule["Destination"]["EncryptionConfiguration"]["ReplicaKmsKeyID"].endswith(":key/1")
    statements = template.statements("ReplicationRole")
    by_action = {json.dumps(item["Action"]): json.dumps(item["Resource"]) for item in statements}
    assert ":key/1" in by_action['"kms:Encrypt"']
    assert "LakeKey" in by_action['"kms:Decrypt"']
    assert "s3:ReplicateDelete" not in template.actions("ReplicationRole")


def test_nag_is_clean_with_copies(stack: cdk.Stack, nag: Callable[[cdk.Stack], list[str]]) -> None:
    replicated(stack)
    assert nag(stack) == []
