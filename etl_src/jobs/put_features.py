"""Glue job: the newest features of each device, from the published table into SageMaker Feature Store."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).resolve().parents[1]))  # beside this file in a checkout; Glue adds the zip itself

from ml_lens_etl import parquet, snapshot
from ml_lens_etl.catalog import catalog_of
from ml_lens_etl.parquet import Span

DEVICE, TIME, READING = "device_id", "event_time", "reading_id"


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Parse the job's arguments; Glue's own (``--JOB_NAME``, ``--enable-metrics`` …) are left alone."""
    parser = argparse.ArgumentParser(allow_abbrev=False, description=__doc__)
    parser.add_argument("--source", required=True, help="database.table of the features, or a folder")
    parser.add_argument("--feature_group", required=True, help="name of the feature group")
    parser.add_argument("--features", required=True, help="names of the features, a JSON list")
    return parser.parse_known_args(arguments)[0]


def newest_rows(location: str) -> Iterator[dict[str, Any]]:
    """Return the newest row of each device, one device after the other.

    Parameters
    ----------
    location
        Where the published version of the table lies.
    """
    for parts in snapshot.take(location).devices.values():
        last = max((part.uri for part in parts), key=_end)
        yield parquet.read([last], Span()).sort(TIME, nulls_last=False).row(-1, named=True)


def record(row: dict[str, Any], features: Sequence[str]) -> list[dict[str, str]]:
    """Return a row as Feature Store takes it; a feature that is null is left out.

    Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_feature_store_PutRecord.html
    """
    time = row[TIME].strftime("%Y-%m-%dT%H:%M:%S.") + f"{row[TIME].microsecond // 1000:03d}Z"
    values = {DEVICE: row[DEVICE], TIME: time, READING: row[READING]}
    numbers = {name: repr(float(row[name])) for name in features if row[name] is not None}
    return [{"FeatureName": name, "ValueAsString": text} for name, text in {**values, **numbers}.items()]


def main(arguments: Sequence[str], client: Any = None) -> dict[str, Any]:
    """Put one record per device, print how many as one line of JSON, and return it.

    Feature Store keeps the record of the latest event time, so a second run changes nothing.
    """
    given = parse(arguments)
    features = json.loads(given.features)
    store = _client() if client is None else client
    count = 0
    for row in newest_rows(catalog_of(given.source).location(given.source)):
        store.put_record(FeatureGroupName=given.feature_group, Record=record(row, features))
        count += 1
    account = {"feature_group": given.feature_group, "records": count}
    print(json.dumps(account), flush=True)
    return account


def _end(uri: str) -> Any:
    """Return the last event time of an object; one without any comes first."""
    last = parquet.extent(uri).last
    return (last is not None, last)


def _client() -> Any:
    import boto3  # a test gives its own
    from botocore.config import Config

    return boto3.client(
        "sagemaker-featurestore-runtime", config=Config(retries={"mode": "adaptive", "max_attempts": 8})
    )


if __name__ == "__main__":
    main(sys.argv[1:])
