"""The tables around a stream: what the raw table must look like, its table of errors, and the table of predictions."""

from __future__ import annotations

from collections.abc import Sequence

from cdk_ml_lens.core.errors import Faults
from cdk_ml_lens.core.feature_values import Sensor
from cdk_ml_lens.lake.schema import Column, Partition, Table

_KEYS = {"reading_id": "string", "device_id": "string", "event_time": "timestamp", "received_at": "timestamp"}
# https://docs.aws.amazon.com/firehose/latest/dev/data-transformation-failure-handling.html and
# https://docs.aws.amazon.com/firehose/latest/dev/record-format-conversion-error-handling.html; the reader folds names.
_ERROR_COLUMNS = {
    "attemptsmade": "bigint",
    "arrivaltimestamp": "bigint",
    "errorcode": "string",
    "errormessage": "string",
    "lasterrorcode": "string",
    "lasterrormessage": "string",
    "attemptendingtimestamp": "bigint",
    "rawdata": "string",
    "lambdaarn": "string",
    "sequencenumber": "string",
}
_PREDICTION_COLUMNS = {
    "prediction_id": "string",
    "device_id": "string",
    "reading_id": "string",
    "received_at": "bigint",
    "scored_at": "string",
    "reading": "string",
    "features": "map<string,double>",
    "score": "double",
    "threshold": "double",
    "anomaly": "boolean",
    "endpoint": "string",
    "variant": "string",
    "model_version": "string",
    "latency_ms": "double",
}
FIRST_YEAR, LAST_YEAR = 2025, 2035


def telemetry_table(sensors: Sequence[Sensor], *, name: str = "telemetry", since: str = "2025-01-01") -> Table:
    """Return the raw table of readings: ids, times, one double per sensor, by the day they were received.

    Parameters
    ----------
    sensors : sequence of Sensor
        The numeric fields of a reading, for example ``feature_set.sensors``. The ETL applies their bounds later.
    name : str
        Name of the table. Default: ``telemetry``.
    since : str
        First day with data, ``YYYY-MM-DD``. Default: ``2025-01-01``.

    Raises
    ------
    PropError
        When no sensor is named, or one twice.

    Notes
    -----
    Lens best practice MLREL03-BP01 (the schema is known before the data).
    """
    columns = [Column(name=column, type=kind) for column, kind in _KEYS.items()]
    columns += [Column(name=sensor.name, type="double") for sensor in sensors]
    faults = Faults(f"table {name!r}")
    faults.unless(len(sensors) > 0, "sensors", "name at least one sensor", list(sensors))
    faults.raise_any()
    return Table(
        name=name,
        columns=columns,
        partitions=[Partition.date("date", since=since)],
        description="Readings as they were received, by day; late, doubled and out of range ones are still among them.",
    )


def errors_table(of: Table) -> Table:
    """Return the table of what Firehose could not deliver to ``of``: the source record (base64) and why.

    Parameters
    ----------
    of : Table
        The table that the stream writes to.
    """
    return Table(
        name=f"{of.name}_errors",
        columns=[Column(name=name, type=kind) for name, kind in _ERROR_COLUMNS.items()],
        partitions=of.partitions,
        format="json",
        description=f"Records that did not become rows of {of.name}, with the reason; rawdata is the record in base64.",
    )


def prediction_table(name: str = "predictions") -> Table:
    """Return the table of a `PredictionLog` that writes below ``<name>`` of the zone's bucket.

    Parameters
    ----------
    name : str
        Name of the table, and the log's ``prefix``. Default: ``predictions``.

    Notes
    -----
    Partitions are year, month and day of delivery (UTC), 2025 to 2035: name the year in a query, or Athena looks at
    each day of all years. ``reading`` is the device's object as JSON text.
    """
    days = [("year", FIRST_YEAR, LAST_YEAR, 4), ("month", 1, 12, 2), ("day", 1, 31, 2)]
    return Table(
        name=name,
        columns=[Column(name=column, type=kind) for column, kind in _PREDICTION_COLUMNS.items()],
        partitions=[_number(name, first, last, digits) for name, first, last, digits in days],
        format="json",
        description="Every scored reading: features, score, threshold, model version and latency.",
    )


def sensor_names(table: Table) -> tuple[str, ...]:
    """Return the columns of a raw table that are sensors.

    Raises
    ------
    PropError
        When it is no table for a stream of readings: Parquet, by ``date``, with ids, times and doubles.
    """
    types = {column.name: column.type for column in table.columns}
    sensors = tuple(name for name in types if name not in _KEYS)
    faults = Faults(f"stream ingest into {table.name!r}")
    faults.unless(table.format == "parquet", "table", "be stored as parquet", table.format)
    levels = [partition.name for partition in table.partitions]
    faults.unless(levels == ["date"], "table", "have the one partition 'date'", levels, "see telemetry_table")
    wrong = {name: types.get(name) for name, kind in _KEYS.items() if types.get(name) != kind}
    faults.unless(not wrong, "table", f"have the columns {_KEYS}", wrong, "see telemetry_table")
    numeric = bool(sensors) and all(types[name] == "double" for name in sensors)
    faults.unless(numeric, "table", "have sensors, all of them double", {name: types[name] for name in sensors})
    faults.raise_any()
    return sensors


def _number(name: str, first: int, last: int, digits: int) -> Partition:
    rule = (("type", "integer"), ("range", f"{first},{last}"), ("digits", str(digits)))
    return Partition(name=name, type="int", projection=rule)
