"""What the tests of streams share: the table of readings, and a stream of a template."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import aws_cdk as cdk

from cdk_ml_lens.core.feature_values import Sensor
from cdk_ml_lens.lake.data_lake import DataLake
from cdk_ml_lens.lake.lake_table import LakeTable
from cdk_ml_lens.lake.stream_tables import telemetry_table
from tests.unit.templates import Template

SENSORS = [Sensor(name="temperature"), Sensor(name="vibration")]
Synth = Callable[[cdk.Stack], Template]


def raw_table(stack: cdk.Stack) -> LakeTable:
    return DataLake(stack, "Lake").add_table(telemetry_table(SENSORS))


def delivery(template: Template, part_of_id: str = "Live") -> dict[str, Any]:
    ((_, stream),) = [
        (id, found)
        for id, found in template.of_type("AWS::KinesisFirehose::DeliveryStream").items()
        if part_of_id in id
    ]
    return dict(stream["Properties"])
