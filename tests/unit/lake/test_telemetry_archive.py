"""TelemetryArchive: every message of a topic into the stream; what is not handed on waits with the dead letters."""

from __future__ import annotations

from collections.abc import Callable

import aws_cdk as cdk
import pytest
from aws_cdk import aws_kinesis as kinesis
from aws_cdk import aws_sns as sns

from cdk_ml_lens.core.feature_values import Sensor
from cdk_ml_lens.iot.fleet import DeviceFleet
from cdk_ml_lens.iot.topics import RuleSql
from cdk_ml_lens.lake.data_lake import DataLake
from cdk_ml_lens.lake.lake_table import LakeTable
from cdk_ml_lens.lake.stream_ingest import StreamIngest
from cdk_ml_lens.lake.stream_tables import telemetry_table
from cdk_ml_lens.lake.stream_values import StreamSource
from cdk_ml_lens.lake.telemetry_archive import TelemetryArchive
from tests.unit.templates import Template

Synth = Callable[[cdk.Stack], Template]


@pytest.fixture
def table(stack: cdk.Stack) -> LakeTable:
    return DataLake(stack, "Lake").add_table(telemetry_table([Sensor(name="temperature")]))


def test_minimal_puts_the_raw_payload_of_every_message_into_firehose(
    stack: cdk.Stack, table: LakeTable, synth: Synth
) -> None:
    fleet = DeviceFleet(stack, "Fleet", topic_prefix="plant/turbines")
    sql = RuleSql(topic_filter=fleet.telemetry_topic_filter, device_level=fleet.device_level)
    TelemetryArchive(stack, "Archive", sql=sql, ingest=StreamIngest(stack, "Ingest", table=table))
    template = synth(stack)
    payload = template.only("AWS::IoT::TopicRule")["TopicRulePayload"]
    assert "encode(*, 'base64') AS payload, topic(3) AS device_id" in payload["Sql"]
    assert payload["Sql"].endswith("FROM 'plant/turbines/+/telemetry'")
    (action,) = payload["Actions"]
    assert action["Firehose"]["Separator"] == "\n"
    assert "IngestLive" in action["Firehose"]["DeliveryStreamName"]["Ref"]
    assert "Sqs" in payload["ErrorAction"]
    assert template.actions("ArchiveRuleRole") == {
        "firehose:PutRecord",
        "sqs:SendMessage",
        "kms:GenerateDataKey",
        "kms:Decrypt",
    }


def test_full_puts_into_the_data_stream_by_device_and_tells_of_failures(
    stack: cdk.Stack, table: LakeTable, synth: Synth
) -> None:
    source = StreamSource.stream(kinesis.Stream(stack, "Readings"))
    ingest = StreamIngest(stack, "Ingest", table=table, source=source)
    topic = sns.Topic(stack, "Alarms")
    sql = RuleSql(topic_filter="devices/+/telemetry")
    TelemetryArchive(stack, "Archive", sql=sql, ingest=ingest, alarm_topic=topic)
    template = synth(stack)
    (action,) = template.only("AWS::IoT::TopicRule")["TopicRulePayload"]["Actions"]
    assert action["Kinesis"]["PartitionKey"] == "${topic(2)}"
    assert template.actions("ArchiveRuleRole") >= {"kinesis:PutRecord", "sqs:SendMessage"}
    alarms = {
        found["Properties"]["MetricName"]: found["Properties"]
        for id, found in template.of_type("AWS::CloudWatch::Alarm").items()
        if id.startswith("Archive")
    }
    assert set(alarms) == {"RuleMessageThrottled", "Failure", "ApproximateNumberOfMessagesVisible"}
    assert {"Name": "ActionType", "Value": "Kinesis"} in alarms["Failure"]["Dimensions"]
    assert all(alarm["AlarmActions"] for alarm in alarms.values())


def test_the_policy_exists_before_the_rule(stack: cdk.Stack, table: LakeTable, synth: Synth) -> None:
    ingest = StreamIngest(stack, "Ingest", table=table)
    TelemetryArchive(stack, "Archive", sql=RuleSql(topic_filter="d/+/telemetry"), ingest=ingest)
    template = synth(stack)
    ((rule, _),) = template.of_type("AWS::IoT::TopicRule").items()
    assert {id for id in template.of_type("AWS::IAM::Policy") if "ArchiveRule" in id} <= template.depends_on(rule)


def test_nag_is_clean(stack: cdk.Stack, table: LakeTable, nag: Callable[[cdk.Stack], list[str]]) -> None:
    ingest = StreamIngest(stack, "Ingest", table=table)
    TelemetryArchive(stack, "Archive", sql=RuleSql(topic_filter="d/+/telemetry"), ingest=ingest)
    assert nag(stack) == []
