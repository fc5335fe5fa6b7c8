"""Each rule that a prop of ours closes, with what is built without and with the prop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_backup as backup
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs

from cdk_ml_lens import (
    ApiAccess,
    DataLake,
    DeadLetterStore,
    Feature,
    Firewall,
    InferenceApi,
    InferenceContract,
    IsolatedNetwork,
    ModelEndpoint,
    ModelRegistry,
    NotifyTopic,
    PrivateService,
    Replication,
    Zone,
    harden,
)
from cdk_ml_lens.core.bucket import SecureBucket
from cdk_ml_lens.core.event_rules import tell
from cdk_ml_lens.core.function import HandlerFunction
from cdk_ml_lens.iot.ledger import Ledger

KEY_ARN = "arn:aws:kms:eu-west-1:111122223333:key/11111111-2222-3333-4444-555555555555"
Build = Callable[[cdk.Stack, bool], None]


@dataclass(frozen=True, kw_only=True)
class Case:
    """One rule, the prop that closes it, what is built with and without it, and where the finding is."""

    rule: str
    prop: str
    build: Build
    place: str


def handler(stack: cdk.Stack, **props: Any) -> HandlerFunction:
    return HandlerFunction(
        stack,
        "Handler",
        handler="score_readings",
        environment={},
        encryption_key=kms.Key(stack, "Key", enable_key_rotation=True),
        **props,
    )


def network(stack: cdk.Stack) -> IsolatedNetwork:
    return IsolatedNetwork(stack, "Network", services=[PrivateService(service="sqs")])


def copies(stack: cdk.Stack) -> Replication:
    return Replication(
        bucket=s3.Bucket.from_bucket_name(stack, "Far", "copies-elsewhere"),
        encryption_key=kms.Key.from_key_arn(stack, "FarKey", KEY_ARN),
    )


def in_network(stack: cdk.Stack, hard: bool) -> None:
    handler(stack)
    if hard:
        harden(stack, network=network(stack))


def reserved(stack: cdk.Stack, hard: bool) -> None:
    handler(stack)
    if hard:
        harden(stack, reserved_concurrency=5)


def restorable(stack: cdk.Stack, hard: bool) -> None:
    Ledger(stack, "Ledger", encryption_key=kms.Key(stack, "Key"))
    if hard:
        harden(stack, point_in_time_recovery=True)


def backed_up(stack: cdk.Stack, hard: bool) -> None:
    Ledger(stack, "Ledger", encryption_key=kms.Key(stack, "Key"))
    if hard:
        harden(stack, backup_plan=backup.BackupPlan.daily35_day_retention(stack, "Plan"))


def told_later(stack: cdk.Stack, hard: bool) -> None:
    DeadLetterStore(stack, "Store", encryption_key=kms.Key(stack, "Key"))
    if hard:
        harden(stack, alarm_topic=NotifyTopic(stack, "Topic").topic)


def told(stack: cdk.Stack, hard: bool) -> None:
    topic = NotifyTopic(stack, "Topic").topic if hard else None
    DeadLetterStore(stack, "Store", encryption_key=kms.Key(stack, "Key"), alarm_topic=topic)


def secure_bucket(stack: cdk.Stack, hard: bool) -> None:
    key = kms.Key(stack, "Key")
    SecureBucket(stack, "Bucket", encryption_key=key, replication=copies(stack) if hard else None)


def zone(stack: cdk.Stack, hard: bool) -> None:
    DataLake(stack, "Lake", zones=[Zone(name="raw", replication=copies(stack) if hard else None)])


def registry(stack: cdk.Stack, hard: bool) -> None:
    ModelRegistry(stack, "Registry", replica=copies(stack) if hard else None)


def firewall(stack: cdk.Stack, hard: bool) -> None:
    InferenceApi(
        stack,
        "Api",
        endpoint=ModelEndpoint.from_endpoint_name(stack, "pumps"),
        contract=InferenceContract.of_features([Feature(name="flow")]),
        access=ApiAccess.iam(firewall=Firewall.managed() if hard else None),
    )


def firewall_that_logs(stack: cdk.Stack, hard: bool) -> None:
    arn = "arn:aws:wafv2:eu-west-1:111122223333:regional/webacl/ours/1"
    InferenceApi(
        stack,
        "Api",
        endpoint=ModelEndpoint.from_endpoint_name(stack, "pumps"),
        contract=InferenceContract.of_features([Feature(name="flow")]),
        access=ApiAccess.iam(firewall=Firewall.existing(arn) if hard else Firewall.managed()),
    )


def undelivered(stack: cdk.Stack, hard: bool) -> None:
    letters = sqs.Queue(stack, "Letters") if hard else None
    target = targets.SnsTopic(sns.Topic(stack, "Topic"), dead_letter_queue=letters)
    tell(stack, "Rule", pattern=events.EventPattern(source=["ours"]), target=target)


CASES = (
    Case(rule="LambdaInsideVPC", prop="harden(network=)", build=in_network, place="Handler/"),
    Case(rule="LambdaConcurrency", prop="harden(reserved_concurrency=)", build=reserved, place="Handler/"),
    Case(rule="DynamoDBPITREnabled", prop="harden(point_in_time_recovery=True)", build=restorable, place="Ledger/"),
    Case(rule="DynamoDBInBackupPlan", prop="harden(backup_plan=)", build=backed_up, place="Ledger/"),
    Case(rule="CloudWatchAlarmAction", prop="harden(alarm_topic=)", build=told_later, place="Store/"),
    Case(rule="CloudWatchAlarmAction", prop="alarm_topic=", build=told, place="Store/"),
    Case(
        rule="S3BucketReplicationEnabled",
        prop="SecureBucket(replication=)",
        build=secure_bucket,
        place="Bucket/Data/",
    ),
    Case(rule="S3BucketReplicationEnabled", prop="Zone(replication=)", build=zone, place="Lake/Zone-raw/"),
    Case(rule="S3BucketReplicationEnabled", prop="ModelRegistry(replica=)", build=registry, place="Registry/Bucket/"),
    Case(rule="APIGWAssociatedWithWAF", prop="ApiAccess.iam(firewall=)", build=firewall, place="Api/"),
    Case(rule="WAFv2LoggingEnabled", prop="Firewall.existing()", build=firewall_that_logs, place="Api/"),
    Case(rule="EventBusDLQ", prop="dead_letter_queue=", build=undelivered, place="Rule/"),
)
