"""The tables of streams: readings, predictions as the log writes them, and the rows that the transform makes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import get_type_hints

import aws_cdk as cdk

from cdk_ml_lens.core.feature_values import Sensor
from cdk_ml_lens.iot.prediction_log import PredictionLog
from cdk_ml_lens.lake.data_lake import DataLake
from cdk_ml_lens.lake.stream_tables import prediction_table, telemetry_table
from ml_lens_runtime import strict_json, table_row
from ml_lens_runtime.prediction import Prediction
from ml_lens_runtime.rule_record import Record
from tests.unit.templates import Template

KINDS = {str: "string", int: "bigint", float: "double", bool: "boolean", dict[str, float]: "map<string,double>"}


def test_predictions_have_the_columns_that_the_scorer_logs() -> None:
    hints = get_type_hints(Prediction)
    columns = {column.name: column.type for column in prediction_table().columns}
    assert list(columns) == [field.name for field in fields(Prediction)]
    # the reading is any JSON object, an absent reading id is null: both are text in the table
    plain = {name: KINDS[hint] for name, hint in hints.items() if hint in KINDS}
    assert columns == {**columns, **plain}
    assert {name: columns[name] for name in columns.keys() - plain.keys()} == {
        "reading_id": "string",
        "reading": "string",
    }


def test_predictions_are_projected_over_the_logs_prefix(
    stack: cdk.Stack, synth: Callable[[cdk.Stack], Template]
) -> None:
    lake = DataLake(stack, "Lake")
    raw = lake.zone("raw")
    log = PredictionLog(stack, "Log", bucket=raw.bucket, prefix="scores", encryption_key=lake.encryption_key)
    table = lake.add_table(prediction_table("scores"))
    template = synth(stack)
    target = template.only("AWS::KinesisFirehose::DeliveryStream")["ExtendedS3DestinationConfiguration"]
    assert table.prefix == f"{log.prefix}/"
    assert target["Prefix"].startswith(f"{table.prefix}year=!{{timestamp:yyyy}}/month=!{{timestamp:MM}}/day=")
    entry = template.only("AWS::Glue::Table")["TableInput"]
    assert [key["Name"] for key in entry["PartitionKeys"]] == ["year", "month", "day"]
    parameters = entry["Parameters"]
    assert parameters["projection.month.digits"] == parameters["projection.day.digits"] == "2"
    assert parameters["projection.year.range"] == "2025,2035"


def test_telemetry_has_the_columns_that_the_transform_writes() -> None:
    made = table_row.row(
        Record(
            device_id="d",
            received_at=1_800_000_000_000,
            trace_id="t",
            raw=b'{"timestamp": "2027-01-15T08:00:00Z"}',
            identity=b"{}",
        ),
        sensors=("temperature",),
        max_bytes=1000,
    )
    columns = [column.name for column in telemetry_table([Sensor(name="temperature")]).columns]
    assert strict_json.loads(made.line).keys() == set(columns)
    assert columns[:4] == ["reading_id", "device_id", "event_time", "received_at"]
