"""Table, Column, Partition and the values of a zone: what they render, what they refuse."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from cdk_ml_lens import Column, Lifecycle, ObjectLock, Partition, PropError, Table, Zone

A = Column(name="a")


def test_partitions_carry_the_projection_that_athena_reads() -> None:
    assert dict(Partition.date(since="2026-01-01").projection) == {
        "type": "date",
        "format": "yyyy-MM-dd",
        "range": "2026-01-01,NOW+1DAY",
        "interval": "1",
        "interval.unit": "DAYS",
    }
    assert dict(Partition.integer("shard", minimum=0, maximum=7).projection) == {"type": "integer", "range": "0,7"}
    assert dict(Partition.enum("site", values=["oslo", "bern"]).projection) == {"type": "enum", "values": "oslo,bern"}
    assert dict(Partition.injected("device").projection) == {"type": "injected"}


@pytest.mark.parametrize(
    "type", ["string", "double", "bigint", "timestamp", "decimal(10,2)", "array<string>", "struct<a:int,b:array<int>>"]
)
def test_a_column_takes_hive_types(type: str) -> None:
    assert Column(name="a", type=type).type == type


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Column(name="Temp"), "name must be a lower-case letter.* for column 'Temp'"),
        (
            lambda: Column(name="a", type="float64"),
            "type must be a Hive type in lower case for column 'a', got 'float64'",
        ),
        (lambda: Partition.date(since="yesterday"), "since must be a day YYYY-MM-DD for partition 'date'"),
        (lambda: Partition.integer("n", minimum=2, maximum=1), "maximum must be at least 2 for partition 'n', got 1"),
        (lambda: Partition.enum("n", values=[]), "values must be some texts without commas"),
        (lambda: Partition.enum("n", values=["a,b"]), "values must be some texts without commas"),
        (lambda: Partition.injected("Device"), "name must be a lower-case letter"),
        (lambda: Table(name="t", columns=[]), "columns must have at least one column for table 't'"),
        (lambda: Table(name="t", columns=[A, A]), "columns must have each name once, partitions included.*got .'a'."),
        (
            lambda: Table(name="t", columns=[A], partitions=[Partition.injected("a")]),
            "columns must have each name once",
        ),
        (lambda: Table(name="t", columns=[A], format="orc"), "format must be one of"),  # type: ignore[arg-type]
        (
            lambda: Table(name="t", columns=[A], partitions=[Partition.date()], format="iceberg"),
            "partitions must be empty for table 't', got .'date'.; partition it in the writer",
        ),
        (
            lambda: Table(name="t", columns=[A], partitions=[Partition.date()], versioned=True),
            "partitions must be empty",
        ),
        (lambda: Table(name="t", columns=[A], format="iceberg", versioned=True), "versioned must be false for Iceberg"),
        (lambda: Table(name="t", columns=[A], derived_from=["raw"]), "derived_from must name tables as zone.table"),
        (lambda: Lifecycle(tiering_days=-1), "tiering_days must be at least 0"),
        (lambda: Lifecycle(archive_days=89), "archive_days must be between 90 and 730"),
        (lambda: Lifecycle(tiering_days=None, archive_days=90), "archive_days must be left out without tiering"),
        (lambda: Lifecycle(tiering_days=30, expire_days=30), "expire_days must be at least 31"),
        (lambda: Lifecycle(noncurrent_days=0), "noncurrent_days must be at least 1"),
        (lambda: ObjectLock(days=0), "days must be between 1 and 36500"),
        (lambda: ObjectLock(days=1, mode="LEGAL"), "mode must be one of"),  # type: ignore[arg-type]
        (lambda: Zone(name="raw-data"), "name must be a lower-case letter"),
    ],
)
def test_fails_on_what_aws_refuses(make: Callable[[], Any], message: str) -> None:
    with pytest.raises(PropError, match=message):
        make()


def test_faults_of_one_table_are_reported_together() -> None:
    with pytest.raises(PropError) as raised:
        Table(name="T", columns=[], format="orc")  # type: ignore[arg-type]
    assert [fault.prop for fault in raised.value.faults] == ["name", "columns", "format"]


def test_the_zones_of_the_lens_come_in_the_order_of_preparation() -> None:
    assert [zone.name for zone in Zone.lens()] == ["raw", "modelled", "enhanced", "transformed"]
