"""IotDataLake: fleet, lake and pipeline are wired by one feature set; predictions get their table wherever they lie."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_s3 as s3

from cdk_ml_lens import (
    DataLake,
    DeviceFleet,
    FeatureSet,
    IotDataLake,
    LakeFormation,
    NotifyTopic,
    PipelineTrigger,
    PredictionLog,
    PropError,
    QualityGate,
    QualityRule,
    Sensor,
)
from tests.unit.templates import Template

CROSSING_BUDGET = 2600
FEATURES = FeatureSet.standard(sensors=[Sensor(name="temperature")])
STATEFUL = {"AWS::S3::Bucket", "AWS::Glue::Table", "AWS::Glue::Database", "AWS::IoT::ThingGroup", "AWS::KMS::Key"}


def make(stack: cdk.Stack, lake: DataLake | None = None, **props: Any) -> IotDataLake:
    return IotDataLake(
        stack,
        "Preparation",
        lake=DataLake(stack, "Lake") if lake is None else lake,
        fleet=DeviceFleet(stack, "Fleet"),
        feature_set=FEATURES,
        **props,
    )


def tables(template: Template) -> dict[str, list[str]]:
    found = (item["Properties"]["TableInput"] for item in template.of_type("AWS::Glue::Table").values())
    return {item["Name"]: [column["Name"] for column in item["StorageDescriptor"]["Columns"]] for item in found}


def test_minimal_keeps_the_fleets_telemetry_and_makes_the_features_of_the_set(
    stack: cdk.Stack, synth: Callable[[cdk.Stack], Template]
) -> None:
    make(stack)
    template = synth(stack)
    rule = template.only("AWS::IoT::TopicRule")["TopicRulePayload"]
    assert "FROM 'devices/+/telemetry'" in rule["Sql"]
    assert "Firehose" in rule["Actions"][0]
    columns = tables(template)["features"]
    assert columns[4:-1] == list(FEATURES.names)
    assert len(template.of_type("AWS::Glue::Job")) == 3
    assert len(template.of_type("AWS::KMS::Key")) == 1


def test_full_takes_gate_trigger_and_topic(stack: cdk.Stack, synth: Callable[[cdk.Stack], Template]) -> None:
    topic = NotifyTopic(stack, "Alarms").topic
    gate = QualityGate(rules=[QualityRule.mean_between("temperature", 0, 90)], max_quarantined_share=0.01)
    lake = DataLake(stack, "Lake", alarm_topic=topic)
    make(stack, lake, quality=gate, trigger=PipelineTrigger.every(minutes=30), alarm_topic=topic)
    template = synth(stack)
    assert template.only("AWS::Scheduler::Schedule")["ScheduleExpression"] == "rate(30 minutes)"
    alarms = template.of_type("AWS::CloudWatch::Alarm").values()
    assert all(alarm["Properties"]["AlarmActions"] for alarm in alarms)
    arguments = [job["Properties"]["DefaultArguments"] for job in template.of_type("AWS::Glue::Job").values()]
    assert '["Mean \\"temperature\\" between 0 and 90"]' in [given["--quality"] for given in arguments]


def test_predictions_are_catalogued_where_their_log_writes(
    stack: cdk.Stack, synth: Callable[[cdk.Stack], Template]
) -> None:
    lake = DataLake(stack, "Lake")
    prepared = make(stack, lake)
    inside = PredictionLog(stack, "Inside", bucket=lake.zone("raw").bucket, encryption_key=lake.encryption_key)
    outside = PredictionLog(stack, "Outside", prefix="others")
    assert prepared.add_predictions(inside).bucket is lake.zone("raw").bucket
    assert prepared.add_predictions(outside).encryption_key is outside.bucket.encryption_key
    assert {"predictions", "others"} <= tables(synth(stack)).keys()


def test_fails_for_predictions_without_a_key_or_under_lake_formation(stack: cdk.Stack) -> None:
    prepared = make(stack)
    plain = s3.Bucket.from_bucket_name(stack, "Plain", "somewhere")
    with pytest.raises(PropError, match="bucket must be encrypted with a KMS key"):
        prepared.add_predictions(PredictionLog(stack, "Unencrypted", bucket=plain))
    other = cdk.Stack(stack.node.root, "Governed")
    governed = make(other, DataLake(other, "Lake", governance=LakeFormation()))
    with pytest.raises(PropError, match="bucket must be the zone's where Lake Formation governs"):
        governed.add_predictions(PredictionLog(other, "Log"))


def test_fails_for_a_lake_without_the_zones_of_the_pipeline(stack: cdk.Stack) -> None:
    from cdk_ml_lens import Zone

    with pytest.raises(PropError, match="zone must be one of"):
        make(stack, DataLake(stack, "Lake", zones=[Zone(name="raw")]))


def test_stateful_resources_keep_their_logical_ids(stack: cdk.Stack, synth: Callable[[cdk.Stack], Template]) -> None:
    make(stack)
    found = {id: item["Type"] for id, item in synth(stack).resources.items() if item["Type"] in STATEFUL}
    assert found == EXPECTED


def test_crossings_stay_within_budget(stack: cdk.Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    from jsii._kernel.providers.process import _NodeProcess

    crossings = 0
    send = _NodeProcess.send

    def counted(self: Any, *args: Any, **kwargs: Any) -> Any:
        nonlocal crossings
        crossings += 1
        return send(self, *args, **kwargs)

    monkeypatch.setattr(_NodeProcess, "send", counted)
    make(stack)
    assert 500 < crossings <= CROSSING_BUDGET, f"{crossings} crossings"


def test_nag_is_clean(stack: cdk.Stack, nag: Callable[[cdk.Stack], list[str]]) -> None:
    make(stack)
    assert nag(stack) == []


EXPECTED = {
    "FleetThingGroupB6305FD9": "AWS::IoT::ThingGroup",
    "LakeAccessLogs4431AB8D": "AWS::S3::Bucket",
    "LakeKey7B6C155C": "AWS::KMS::Key",
    "LakeQueriesResults4BD376F3": "AWS::S3::Bucket",
    "LakeZoneenhancedBucket33B1979C": "AWS::S3::Bucket",
    "LakeZoneenhancedDatabase5D146032": "AWS::Glue::Database",
    "LakeZoneenhancedTablereadingsTable93398CFA": "AWS::Glue::Table",
    "LakeZonemodelledBucket1EB3A399": "AWS::S3::Bucket",
    "LakeZonemodelledDatabase520C27C3": "AWS::Glue::Database",
    "LakeZonemodelledTablereadingsTable7DA88593": "AWS::Glue::Table",
    "LakeZonerawBucketD7F34696": "AWS::S3::Bucket",
    "LakeZonerawDatabase7060E967": "AWS::Glue::Database",
    "LakeZonerawTabletelemetryTable2E974218": "AWS::Glue::Table",
    "LakeZonerawTabletelemetryerrorsTable03BA4B76": "AWS::Glue::Table",
    "LakeZonetransformedBucketB4F7AE96": "AWS::S3::Bucket",
    "LakeZonetransformedDatabaseF1906614": "AWS::Glue::Database",
    "LakeZonetransformedTablefeaturesTable27C4CBB5": "AWS::Glue::Table",
    "PreparationIngestOriginalsAccessLogs047F0D0E": "AWS::S3::Bucket",
    "PreparationIngestOriginalsData3243E0A8": "AWS::S3::Bucket",
}
