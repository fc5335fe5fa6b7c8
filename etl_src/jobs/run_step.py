"""Glue job: one step of the lake's preparation; the same file runs on a laptop over folders."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).resolve().parents[1]))  # beside this file in a checkout; Glue adds the zip itself

from ml_lens_etl.engine import engine_of
from ml_lens_etl.publish import Notify
from ml_lens_etl.request import STEPS, Request
from ml_lens_etl.run import run

EVENT_SOURCE = "cdk-ml-lens.lake"
DETAIL_TYPE = "Data Quality Failed"


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Parse the job's arguments; Glue's own (``--JOB_NAME``, ``--enable-metrics`` …) are left alone."""
    parser = argparse.ArgumentParser(allow_abbrev=False, description=__doc__)
    parser.add_argument("--step", required=True, choices=STEPS)
    parser.add_argument("--engine", default="single_node", help="single_node or spark")
    parser.add_argument("--feature_set", required=True, help="the definition, JSON")
    parser.add_argument("--source", required=True, help="database.table, or a folder")
    parser.add_argument("--target", required=True, help="database.table, or a folder")
    parser.add_argument("--target_location", required=True, help="URI of the prefix of all versions")
    parser.add_argument("--quarantine", required=True, help="URI of the prefix for refused rows and batches")
    parser.add_argument("--artifacts", default="", help="URI of the prefix for normalisation parameters")
    parser.add_argument("--quality", default="[]", help="rules in DQDL, a JSON list")
    parser.add_argument("--max_quarantined_share", default="1", help="quarantined rows over rows read, 0 to 1")
    parser.add_argument("--rows_per_task", default="5000000", help="a device with more rows is cut by time")
    parser.add_argument("--event_bus", default="", help="EventBridge bus that hears of refused batches")
    return parser.parse_known_args(arguments)[0]


def main(arguments: Sequence[str]) -> dict[str, Any]:
    """Run the step, print its account as one line of JSON, and return it."""
    given = parse(arguments)
    request = Request(
        step=given.step,
        feature_set=given.feature_set,
        source=given.source,
        target=given.target,
        target_location=given.target_location,
        quarantine=given.quarantine,
        artifacts=given.artifacts,
        rules=tuple(json.loads(given.quality)),
        max_quarantined_share=float(given.max_quarantined_share),
        rows_per_task=int(given.rows_per_task),
    )
    account = run(request, engine=engine_of(given.engine), notify=_notify(given.event_bus))
    print(json.dumps(account), flush=True)
    return account


def _notify(bus: str) -> Notify:
    def put(detail: Mapping[str, Any]) -> None:
        print(json.dumps({"refused": detail}), flush=True)
        if not bus:
            return
        import boto3  # a run over local folders needs none

        entry = {"Source": EVENT_SOURCE, "DetailType": DETAIL_TYPE, "Detail": json.dumps(detail), "EventBusName": bus}
        try:
            answer = boto3.client("events").put_events(Entries=[entry])
        except Exception as error:  # the refusal itself is what the caller has to hear of
            print(json.dumps({"event_not_sent": str(error)}), flush=True)
            return
        if answer["FailedEntryCount"]:
            print(json.dumps({"event_not_sent": answer["Entries"]}), flush=True)

    return put


if __name__ == "__main__":
    main(sys.argv[1:])
