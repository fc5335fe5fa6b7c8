"""A small lake for the tests of jobs and pipelines."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk

from cdk_ml_lens import Column, DataLake, FeatureSet, LakeTable, Partition, Sensor, Table

FEATURES = FeatureSet.standard(sensors=[Sensor(name="temperature", minimum=-40, maximum=125)])
_COLUMNS = [
    Column(name="reading_id"),
    Column(name="device_id"),
    Column(name="event_time", type="timestamp"),
    Column(name="received_at", type="timestamp"),
    Column(name="temperature", type="double"),
]


def lake_with_telemetry(stack: cdk.Stack) -> tuple[DataLake, LakeTable]:
    """Return a lake, and its table of raw readings."""
    lake = DataLake(stack, "Lake")
    return lake, lake.add_table(Table(name="telemetry", columns=_COLUMNS, partitions=[Partition.date()]))


def published(lake: DataLake) -> LakeTable:
    """Return a table for the readings of a step."""
    return lake.add_table(Table(name="readings", columns=_COLUMNS, versioned=True), zone="modelled")


def condition_of(statements: list[dict[str, Any]], action: str) -> Any:
    """Return the condition of the one statement that allows an action."""
    (found,) = [item for item in statements if action in (item["Action"], *item["Action"])]
    return found.get("Condition")
