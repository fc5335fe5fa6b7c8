"""`ml-lens demo lake`: readings by MQTT to Parquet, cleaned, normalised, features, and every row accounted for."""

from __future__ import annotations

import argparse
import itertools
import json
import tempfile
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Group
from rich.table import Table

from cdk_ml_lens.local import venvs
from cdk_ml_lens.local.cloud import LaptopCloud
from cdk_ml_lens.local.demo_accounts import Accounts
from cdk_ml_lens.local.demo_fleet import Fleet
from cdk_ml_lens.local.demo_view import View
from cdk_ml_lens.local.device import Broker
from cdk_ml_lens.local.lake_plan import LakePlan, plan
from cdk_ml_lens.local.lake_query import Athena
from cdk_ml_lens.local.rollout_setting import assembly, report

STACK = "DataLake"
RATE = 150.0
DELIVERY_SECONDS = 150.0
"""How long no row may arrive before what is missing counts as lost; the stream buffers for a minute of AWS."""

RUN_SECONDS = 300.0
TIME_SCALE = 10.0
STEPS = {"modelled": "ModelledTable", "enhanced": "EnhancedTable", "transformed": "FeatureTable"}
QUESTION = """SELECT device_id, split, count(*) AS "rows", round(avg(temperature_mean_300s), 3) AS mean,
round(max(temperature_std_300s), 3) AS most_spread FROM {table} GROUP BY 1, 2 ORDER BY 1, 2"""


@dataclass(frozen=True, kw_only=True)
class Zone:
    """What went into a zone, what is in its table by Athena's count, and what was refused on the way, by reason."""

    rows_in: int
    out: int
    quarantined: int
    reasons: Mapping[str, int] = field(default_factory=dict)
    version: str = ""
    engine: str = ""

    @property
    def adds_up(self) -> bool:
        """Whether nothing was lost or made."""
        return self.rows_in == self.out + self.quarantined

    def record(self) -> dict[str, Any]:
        """Return the zone for JSON; ``in`` is no name in Python."""
        named = {"in": self.rows_in, "out": self.out, "quarantined": self.quarantined}
        return {**named, "reasons": dict(self.reasons), "version": self.version, "engine": self.engine}


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The result; ``zones`` has ``in``, ``out`` and ``quarantined`` of each."""

    sent: int
    zones: dict[str, dict[str, Any]]
    reconciled: bool
    features: list[dict[str, str | None]]
    seconds: dict[str, float]
    faults: list[str] = field(default_factory=list)


def run(options: argparse.Namespace, app_dir: Path) -> int:
    """Run the demo; the exit code is 1 when a row is unaccounted for or was refused for another reason than planned."""
    view = View(as_json=options.json)
    with tempfile.TemporaryDirectory(prefix="ml-lens-lake-") as name, ExitStack() as ending:
        outcome = _show(Path(name), app_dir, options, view, ending)
    return report(outcome, _figures(outcome), view, as_json=options.json)


def _show(work: Path, app_dir: Path, options: argparse.Namespace, view: View, ending: ExitStack) -> Outcome:
    venvs.ensure("etl", progress=view.step)
    out = assembly(app_dir, work / "cdk.out", STACK)
    view.step("app synthesized")
    starting = LaptopCloud.start(state_dir=work / "cloud", progress=view.step, time_scale=TIME_SCALE)
    cloud = ending.enter_context(starting)
    deployment = cloud.deploy(out, STACK)
    view.step(f"{STACK} deployed in {deployment.seconds:.1f} s: {deployment.status}")
    wanted = plan(devices=options.devices, readings=options.readings, seed=options.seed, now=datetime.now(UTC))
    begun = time.monotonic()
    _stream(cloud, deployment.outputs, wanted, rate=float(options.rate or RATE), folder=work / "devices", view=view)
    athena = Athena(cloud.client("athena"), deployment.outputs["Workgroup"])
    zones = {"raw": _delivered(athena, deployment.outputs, wanted, view)}
    arrived = time.monotonic()
    prepare(cloud, deployment.outputs["PipelineArn"])
    view.step("raw readings cleaned, normalised, and made into features")
    for zone, output in STEPS.items():
        zones[zone] = published(cloud, athena, deployment.outputs[output])
    ended = time.monotonic()
    features = athena.rows(QUESTION.format(table=deployment.outputs["FeatureTable"]))
    seconds = {"stream_to_raw": round(arrived - begun, 1), "raw_to_features": round(ended - arrived, 1)}
    return judge(wanted, zones, features=features, seconds=seconds)


def _stream(
    cloud: LaptopCloud, outputs: dict[str, str], wanted: LakePlan, *, rate: float, folder: Path, view: View
) -> None:
    accounts = Accounts(wanted.plan)
    broker = Broker(host="localhost", port=cloud.mqtt_port, ca_path=cloud.ca_path)
    with Fleet(broker=broker, outputs=outputs, accounts=accounts) as fleet:
        fleet.provision(wanted.plan.devices, iot=cloud.client("iot"), folder=folder)
        view.step(f"{len(wanted.plan.devices)} device(s) provisioned by claim, connected with their own certificates")
        fleet.stream(wanted.plan.outgoing, rate=rate, on_tick=lambda: None)
    if accounts.waiting:
        raise RuntimeError(f"the broker did not acknowledge {accounts.waiting} messages")
    view.step(f"{accounts.publications} messages streamed at {rate:g} per second")


def _delivered(athena: Athena, outputs: Mapping[str, str], wanted: LakePlan, view: View) -> Zone:
    """Wait until every message is a row or an error, or nothing arrives any more."""
    rows = errors = -1
    changed = time.monotonic()
    while rows + errors < wanted.sent and time.monotonic() - changed < DELIVERY_SECONDS / TIME_SCALE + 30:
        before = (rows, errors)
        rows, errors = athena.count(outputs["TelemetryTable"]), athena.count(outputs["ErrorsTable"])
        if (rows, errors) != before:
            changed = time.monotonic()
        time.sleep(0.5)
    view.step(f"{rows} rows and {errors} refused records are in the raw zone")
    return Zone(rows_in=wanted.sent, out=rows, quarantined=errors)


def prepare(cloud: LaptopCloud, machine: str) -> None:
    """Run the pipeline once.

    Raises
    ------
    RuntimeError
        When it fails, with its error and cause, or does not end.
    """
    states = cloud.client("stepfunctions")
    execution = states.start_execution(stateMachineArn=machine, input="{}")["executionArn"]
    deadline = time.monotonic() + RUN_SECONDS
    found: dict[str, Any] = {"status": "RUNNING"}
    while found["status"] == "RUNNING" and time.monotonic() < deadline:
        time.sleep(0.3)
        found = states.describe_execution(executionArn=execution)
    if found["status"] != "SUCCEEDED":
        raise RuntimeError(f"the pipeline ended {found['status']}: {found.get('error')} {found.get('cause')}")


def published(cloud: LaptopCloud, athena: Athena, table: str) -> Zone:
    """Return a zone's account: in and quarantined by the manifest of the published version, out by Athena."""
    database, name = table.split(".")
    found = cloud.client("glue").get_table(DatabaseName=database, Name=name)["Table"]
    location = found["StorageDescriptor"]["Location"]
    bucket, _, prefix = location.removeprefix("s3://").rstrip("/").partition("/")
    above, _, version = prefix.rpartition("/version=")
    key = f"{above}/_versions/{version}.json"
    manifest = json.loads(cloud.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read())
    reasons = manifest["rows"]["quarantined"]
    return Zone(
        rows_in=manifest["rows"]["in"],
        out=athena.count(table),
        quarantined=sum(reasons.values()),
        reasons=reasons,
        version=version,
        engine=manifest["engine"],
    )


def judge(
    wanted: LakePlan,
    zones: Mapping[str, Zone],
    *,
    features: list[dict[str, str | None]],
    seconds: dict[str, float],
) -> Outcome:
    """Hold the zones against each other and against the plan."""
    names = list(zones)
    open_ends = [name for name in names if not zones[name].adds_up]
    gaps = [f"{a} to {b}" for a, b in itertools.pairwise(names) if zones[a].out != zones[b].rows_in]
    broken = {
        f"rows do not add up in {', '.join(open_ends)}": bool(open_ends),
        f"rows were lost from {', '.join(gaps)}": bool(gaps),
        f"{zones['raw'].quarantined} records were refused, {wanted.refused} had to be": (
            zones["raw"].quarantined != wanted.refused
        ),
        f"cleaning refused {dict(zones['modelled'].reasons)}, it had to refuse {dict(wanted.reasons)}": (
            dict(zones["modelled"].reasons) != dict(wanted.reasons)
        ),
        "the features have no rows": not features,
    }
    return Outcome(
        sent=wanted.sent,
        zones={name: zone.record() for name, zone in zones.items()},
        reconciled=not open_ends and not gaps,
        features=features,
        seconds=seconds,
        faults=[text for text, happened in broken.items() if happened],
    )


def _figures(outcome: Outcome) -> Group:
    zones = Table(title=f"{outcome.sent} messages through the lake", caption=_caption(outcome))
    for name in ("zone", "in", "out", "quarantined", "why", "version"):
        zones.add_column(name, justify="left" if name in ("zone", "why", "version") else "right")
    for name, zone in outcome.zones.items():
        why = ", ".join(f"{count} {reason}" for reason, count in zone["reasons"].items())
        counts = (str(zone[each]) for each in ("in", "out", "quarantined"))
        zones.add_row(name, *counts, why or ("no row" if zone["quarantined"] else ""), zone["version"][:8])
    features = Table(title="features, as Athena answers")
    for column in outcome.features[0] if outcome.features else ():
        features.add_column(column, justify="left" if column in ("device_id", "split") else "right")
    for row in outcome.features:
        features.add_row(*(str(value) for value in row.values()))
    return Group(zones, features)


def _caption(outcome: Outcome) -> str:
    return "in = out + quarantined in every zone" if outcome.reconciled else "the zones do not add up"
