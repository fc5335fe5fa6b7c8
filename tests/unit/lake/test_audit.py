"""The audit of a lake: events where nobody deletes them, and a search for personal data; neither by default."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import aws_cdk as cdk
import pytest

from cdk_ml_lens import Audit, Classification, DataLake, ObjectLock, PropError, Zone
from tests.unit.templates import Template

Synth = Callable[[cdk.Stack], Template]
ZONES = [Zone(name="raw"), Zone(name="gold")]


def selectors(template: Template) -> dict[str, Any]:
    (selector,) = template.only("AWS::CloudTrail::Trail")["AdvancedEventSelectors"]
    return {item["Field"]: item for item in selector["FieldSelectors"]}


def test_the_trail_records_reads_and_writes_of_every_zone(stack: cdk.Stack, synth: Synth) -> None:
    DataLake(stack, "Lake", zones=ZONES, audit=Audit())
    template = synth(stack)
    trail = template.only("AWS::CloudTrail::Trail")
    assert trail["TrailName"] == "test_lake_audit"
    assert trail["EnableLogFileValidation"] is True
    fields = selectors(template)
    assert fields["resources.type"]["Equals"] == ["AWS::S3::Object"]
    assert ["Zoneraw" in json.dumps(arn) for arn in fields["resources.ARN"]["StartsWith"]] == [True, False]
    assert "readOnly" not in fields


def test_reads_can_be_left_out(stack: cdk.Stack, synth: Synth) -> None:
    DataLake(stack, "Lake", zones=ZONES, audit=Audit(reads=False))
    assert selectors(synth(stack))["readOnly"]["Equals"] == ["false"]


def test_events_are_locked_encrypted_by_a_key_of_their_own_and_kept(stack: cdk.Stack, synth: Synth) -> None:
    audit = Audit(lock=ObjectLock(days=30, mode="COMPLIANCE"))
    DataLake(stack, "Lake", zones=ZONES, audit=audit, removal_policy=cdk.RemovalPolicy.DESTROY)
    template = synth(stack)
    ((id, bucket),) = [item for item in template.of_type("AWS::S3::Bucket").items() if "AuditEvents" in item[0]]
    rule = bucket["Properties"]["ObjectLockConfiguration"]["Rule"]["DefaultRetention"]
    assert rule == {"Days": 30, "Mode": "COMPLIANCE"}
    assert bucket["Properties"]["ObjectLockEnabled"] is True
    assert bucket["DeletionPolicy"] == "Retain"
    assert "LakeAuditKey" in json.dumps(bucket["Properties"]["BucketEncryption"])
    ((trail_id, _),) = template.of_type("AWS::CloudTrail::Trail").items()
    assert any(other.startswith(f"{id[:-8]}Policy") for other in template.depends_on(trail_id))


def test_only_this_trail_writes_events_and_uses_their_key(stack: cdk.Stack, synth: Synth) -> None:
    DataLake(stack, "Lake", zones=ZONES, audit=Audit())
    template = synth(stack)
    documents = [item["Properties"]["PolicyDocument"] for item in template.of_type("AWS::S3::BucketPolicy").values()]
    documents += [item["Properties"]["KeyPolicy"] for item in template.of_type("AWS::KMS::Key").values()]
    allowed = [
        statement
        for document in documents
        for statement in document["Statement"]
        if statement["Principal"] == {"Service": "cloudtrail.amazonaws.com"}
    ]
    assert len(allowed) == 3
    for statement in allowed:
        assert "trail/test_lake_audit" in json.dumps(statement["Condition"]["StringEquals"]["aws:SourceArn"])


def test_macie_looks_at_the_zones_on_a_schedule(stack: cdk.Stack, synth: Synth) -> None:
    settings = Audit(trail=False, classification=Classification(every_days=7, sampling_percent=50))
    DataLake(stack, "Lake", zones=ZONES, audit=settings)
    template = synth(stack)
    assert template.of_type("AWS::CloudTrail::Trail") == {}
    schedule = template.only("AWS::Scheduler::Schedule")
    assert schedule["ScheduleExpression"] == "rate(7 days)"
    assert json.dumps(schedule["Target"]["Arn"]).endswith(':scheduler:::aws-sdk:macie2:createClassificationJob"]]}')
    text = json.dumps(schedule["Target"]["Input"])
    assert "Zoneraw" in text
    assert "Zonegold" in text
    assert '\\"SamplingPercentage\\":50' in text.replace("\\\\", "")
    assert template.actions("Classification") == {"macie2:CreateClassificationJob"}
    (key,) = template.of_type("AWS::KMS::Key").values()
    (macie,) = [item for item in key["Properties"]["KeyPolicy"]["Statement"] if item.get("Sid") == "Macie"]
    assert macie["Action"] == "kms:Decrypt"
    assert "AWSServiceRoleForAmazonMacie" in json.dumps(macie["Condition"]["ArnEquals"])


def test_a_job_a_day_is_said_in_the_singular(stack: cdk.Stack, synth: Synth) -> None:
    DataLake(stack, "Lake", audit=Audit(trail=False, classification=Classification(every_days=1)))
    assert synth(stack).only("AWS::Scheduler::Schedule")["ScheduleExpression"] == "rate(1 day)"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Audit(trail=False), "trail must be true without a classification for audit, got False; leave"),
        (lambda: Classification(every_days=0), "every_days must be at least 1"),
        (lambda: Classification(sampling_percent=101), "sampling_percent must be between 1 and 100"),
    ],
)
def test_fails_on_an_audit_of_nothing(make: Callable[[], Any], message: str) -> None:
    with pytest.raises(PropError, match=message):
        make()


def test_nag_is_clean(stack: cdk.Stack, nag: Callable[[cdk.Stack], list[str]]) -> None:
    DataLake(stack, "Lake", audit=Audit(classification=Classification()))
    assert nag(stack) == []
