"""Glue job: a version of the feature table as a training set, CSV by split, with a manifest that names all of it."""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl

sys.path.append(str(Path(__file__).resolve().parents[1]))  # beside this file in a checkout; Glue adds the zip itself

from ml_lens_etl import parquet, snapshot
from ml_lens_etl.catalog import catalog_of
from ml_lens_etl.manifest import Manifest
from ml_lens_etl.parquet import Span
from ml_lens_etl.store import store_of
from ml_lens_features.split import NAMES

KEYS = ("device_id", "reading_id", "event_time", "received_at", "split")
_TIME = "%Y-%m-%dT%H:%M:%S%.3fZ"


class NothingPublishedError(RuntimeError):
    """The table has no published version yet; there is nothing to learn from."""


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Parse the job's arguments; Glue's own (``--JOB_NAME``, ``--enable-metrics`` …) are left alone."""
    parser = argparse.ArgumentParser(allow_abbrev=False, description=__doc__)
    parser.add_argument("--source", required=True, help="database.table of the features, or a folder")
    parser.add_argument("--datasets", required=True, help="URI of the prefix of all datasets")
    return parser.parse_known_args(arguments)[0]


def main(arguments: Sequence[str]) -> dict[str, Any]:
    """Export the published version, print the manifest as one line of JSON, and return it.

    The manifest is written last, then ``current.json``: a run that dies leaves the previous dataset the current one.
    A version that is there already is made the current one and not written again.
    """
    given = parse(arguments)
    datasets = given.datasets if given.datasets.endswith("/") else f"{given.datasets}/"
    location = catalog_of(given.source).location(given.source)
    above, _, version = location.rstrip("/").rpartition("/version=")
    table = Manifest.read(f"{above}/", version) if above else None
    if table is None:
        raise NothingPublishedError(f"{given.source} has no published version")
    store = store_of(datasets)
    body = store.read(f"{datasets}{version}/dataset.json")
    if body is None:
        document = {**export(location, f"{datasets}{version}/"), "version": version, "table": given.source}
        document |= {"table_version": version, "feature_set_sha256": table.feature_set_sha256}
        body = json.dumps(document, indent=1).encode()
        store.write(f"{datasets}{version}/dataset.json", body)
    if store.read(f"{datasets}current.json") != body:
        store.write(f"{datasets}current.json", body)
    manifest: dict[str, Any] = json.loads(body)
    print(json.dumps(manifest), flush=True)
    return manifest


def export(location: str, target: str) -> dict[str, Any]:
    """Write the splits of a version, a file per device and split, and return what the manifest says of them.

    Rows with a feature that is null are left out and counted: a model can take none.
    """
    store = store_of(target)
    store.clear(target)
    rows: Counter[str] = Counter()
    digest = hashlib.sha256()
    features: list[str] = []
    for number, (device, parts) in enumerate(snapshot.take(location).devices.items()):
        table = parquet.read([part.uri for part in parts], Span()).sort("event_time")
        features = [name for name in table.columns if name not in KEYS]
        whole = table.drop_nulls(features)
        rows["dropped"] += len(table) - len(whole)
        for split in NAMES:
            part = whole.filter(pl.col("split") == split)
            rows[split] += len(part)
            if len(part):
                body = _csv(part, features)
                digest.update(f"{split}/{number:05d}\n".encode() + hashlib.sha256(body).digest())
                store.write(f"{target}{split}/part-{number:05d}-{_plain(device)}.csv", body)
    return {
        "sha256": digest.hexdigest(),
        "features": features,
        "rows": {split: rows[split] for split in NAMES},
        "dropped": rows["dropped"],
        "splits": {split: f"{target}{split}/" for split in NAMES},
    }


def _csv(part: pl.DataFrame, features: Sequence[str]) -> bytes:
    body = io.BytesIO()
    time = pl.col("event_time").dt.strftime(_TIME).alias("timestamp")
    part.select(time, *(pl.col(name) for name in features)).write_csv(body)
    return body.getvalue()


def _plain(device: str) -> str:
    return "".join(sign if sign.isalnum() or sign in "-_." else "_" for sign in device)


if __name__ == "__main__":
    main(sys.argv[1:])
