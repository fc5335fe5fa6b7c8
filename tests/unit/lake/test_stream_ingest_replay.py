"""StreamIngest: its replay, its functions' variables, Lake Formation, and what it refuses."""

from __future__ import annotations

import json
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_kinesis as kinesis

from cdk_ml_lens.core.errors import PropError
from cdk_ml_lens.lake.data_lake import DataLake
from cdk_ml_lens.lake.lake_formation import LakeFormation
from cdk_ml_lens.lake.lake_table import LakeTable
from cdk_ml_lens.lake.schema import Column, Partition, Table
from cdk_ml_lens.lake.stream_ingest import StreamIngest
from cdk_ml_lens.lake.stream_tables import telemetry_table
from cdk_ml_lens.lake.stream_values import SourceBackup, StreamSource
from handlers.replay_records import ReplaySettings
from handlers.transform_readings import TransformSettings
from ml_lens_runtime.errors import ConfigurationError
from tests.unit.lake.stream_support import SENSORS, Synth, delivery, raw_table

KEYS = telemetry_table(SENSORS).columns


@pytest.fixture
def table(stack: cdk.Stack) -> LakeTable:
    return raw_table(stack)


def test_a_replay_has_a_stream_of_its_own_that_keeps_no_originals(
    stack: cdk.Stack, table: LakeTable, synth: Synth
) -> None:
    StreamIngest(stack, "Ingest", table=table, source=StreamSource.stream(kinesis.Stream(stack, "Readings")))
    template = synth(stack)
    live, again = delivery(template), delivery(template, "Replay")
    assert again["DeliveryStreamType"] == "DirectPut"
    assert again["ExtendedS3DestinationConfiguration"]["S3BackupMode"] == "Disabled"
    for prop in ("Prefix", "ErrorOutputPrefix", "ProcessingConfiguration"):
        ours = json.dumps(again["ExtendedS3DestinationConfiguration"][prop]).replace("ReplayStream", "Live")
        assert _without_hash(ours) == _without_hash(json.dumps(live["ExtendedS3DestinationConfiguration"][prop]))
    handler = template.actions("IngestReplayHandler")
    assert handler >= {"firehose:PutRecordBatch", "s3:GetObject", "s3:ListBucket"}
    assert "s3:GetBucketLocation" not in handler  # a plain client does not ask
    assert template.actions("IngestReplayMachine") >= {"lambda:InvokeFunction"}


def _without_hash(text: str) -> str:
    return "".join(part[:-8] if part.startswith("Ingest") else part for part in text.split('"'))


def test_the_replay_machine_loops_over_an_hour_and_fails_if_a_record_is_missing(
    stack: cdk.Stack, table: LakeTable, synth: Synth
) -> None:
    StreamIngest(stack, "Ingest", table=table)
    parts = synth(stack).only("AWS::StepFunctions::StateMachine")["DefinitionString"]["Fn::Join"][1]
    machine = json.loads("".join(part if isinstance(part, str) else "token" for part in parts))
    states = machine["States"]
    assert states["Plan"]["Parameters"]["Payload"] == {"step": "plan", "from.$": "$.from", "to.$": "$.to"}
    hour = states["Hours"]["ItemProcessor"]["States"]
    assert hour["HourDone"]["Default"] == "ReplayHour"
    assert hour["HourCounts"]["Parameters"] == {"counts.$": "$.counts"}
    assert states["Complete"]["Default"] == "Incomplete"
    assert states["Incomplete"]["Type"] == "Fail"


def test_handlers_understand_the_variables_that_are_set(stack: cdk.Stack, table: LakeTable, synth: Synth) -> None:
    StreamIngest(stack, "Ingest", table=table)
    given = {
        found["Properties"]["Handler"]: {
            name: value if isinstance(value, str) else "token"
            for name, value in found["Properties"]["Environment"]["Variables"].items()
        }
        for found in synth(stack).of_type("AWS::Lambda::Function").values()
    }
    transform = given["handlers.transform_readings.handler"]
    assert TransformSettings.parse(transform).sensors == ("temperature", "vibration")
    replay = given["handlers.replay_records.handler"]
    assert ReplaySettings.parse(replay).prefix == "telemetry/"
    for handler, parse in ((transform, TransformSettings.parse), (replay, ReplaySettings.parse)):
        for name in handler:
            with pytest.raises(ConfigurationError, match=f"{name} must"):
                parse({key: value for key, value in handler.items() if key != name})


def test_lake_formation_lets_firehose_read_the_schema_before_the_stream(stack: cdk.Stack, synth: Synth) -> None:
    lake = DataLake(stack, "Lake", governance=LakeFormation())
    StreamIngest(stack, "Ingest", table=lake.add_table(telemetry_table(SENSORS)))
    template = synth(stack)
    streams = template.of_type("AWS::KinesisFirehose::DeliveryStream")
    permissions = template.of_type("AWS::LakeFormation::PrincipalPermissions")
    for stream, part in zip(sorted(streams), ("IngestLiveRole", "IngestReplayStreamRole"), strict=True):
        mine = {id for id, found in permissions.items() if part in str(found["Properties"]["Principal"])}
        assert mine
        assert mine <= template.depends_on(stream)


def _table(**changes: Any) -> Table:
    good = {"name": "telemetry", "columns": KEYS, "partitions": [Partition.date("date")]}
    return Table(**{**good, **changes})


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (_table(format="json"), "table must be stored as parquet for stream ingest into 'telemetry', got 'json'"),
        (_table(partitions=[]), r"table must have the one partition 'date' .*got \[\]; see telemetry_table"),
        (_table(columns=KEYS[1:]), r"table must have the columns .*'reading_id': None"),
        (_table(columns=KEYS[:4]), r"table must have sensors, all of them double .*got \{\}"),
        (_table(columns=[*KEYS, Column(name="note")]), r"all of them double .*'note': 'string'"),
    ],
)
def test_fails_for_a_table_that_cannot_hold_readings(stack: cdk.Stack, wrong: Table, message: str) -> None:
    table = DataLake(stack, "Lake").add_table(wrong)
    with pytest.raises(PropError, match=message):
        StreamIngest(stack, "Ingest", table=table)


@pytest.mark.parametrize("seconds", [0, 59, 901])
def test_fails_for_a_buffer_that_dynamic_partitioning_refuses(stack: cdk.Stack, table: LakeTable, seconds: int) -> None:
    with pytest.raises(PropError, match=f"buffer_seconds must be between 60 and 900 .*got {seconds}"):
        StreamIngest(stack, "Ingest", table=table, buffer_seconds=seconds)


@pytest.mark.parametrize("props", [{"days": 0}, {"days": 3651}, {"buffer_seconds": 59}, {"buffer_seconds": 901}])
def test_fails_for_a_backup_out_of_range(props: dict[str, int]) -> None:
    with pytest.raises(PropError, match=f"{next(iter(props))} must be between"):
        SourceBackup(**props)


def test_fails_for_a_table_without_sensors() -> None:
    with pytest.raises(PropError, match="sensors must name at least one sensor"):
        telemetry_table([])
