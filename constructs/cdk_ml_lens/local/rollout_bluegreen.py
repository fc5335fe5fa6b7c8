"""`ml-lens demo bluegreen`: a bad green is stopped by its synthetic test, a good one takes over."""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from rich.table import Table

from cdk_ml_lens.local.cloud import LaptopCloud
from cdk_ml_lens.local.demo_view import View
from cdk_ml_lens.local.rollout_setting import FAULTY, assembly, report, train
from cdk_ml_lens.local.rollout_traffic import UNANSWERED, Met, Traffic

STACK = "TrafficShift"
BAKE_SECONDS = "5"
PATIENCE_SECONDS = 90


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What live traffic met while a bad green was tried, and then a good one."""

    bad_green_status: str
    bad_green_reason: str
    bad_green_live_requests: int
    good_green_status: str
    good_green_serves: bool
    requests: int
    unanswered: int
    faults: list[str] = field(default_factory=list)


class Ended(NamedTuple):
    """How a shift ended, and why if it failed."""

    status: str
    reason: str


def run(options: argparse.Namespace, app_dir: Path) -> int:
    """Run the demo; the exit code is 1 when a promise is broken."""
    view = View(as_json=options.json)
    with tempfile.TemporaryDirectory(prefix="ml-lens-bluegreen-") as name:
        outcome = _show(Path(name), app_dir, view)
    return report(outcome, _figures(outcome), view, as_json=options.json)


def _show(work: Path, app_dir: Path, view: View) -> Outcome:
    models = train(work, view)
    given: dict[str, Any] = {
        "model_artifact": models.old,
        "green_artifact": models.new,
        "bake_seconds": BAKE_SECONDS,
    }
    bad = assembly(app_dir, work / "bad", STACK, green_environment=FAULTY, **given)
    good = assembly(app_dir, work / "good", STACK, **given)
    view.step("stack synthesized with a bad green and with a good one")
    with LaptopCloud.start(state_dir=work / "cloud", progress=view.step) as cloud:
        met: list[Counter[str]] = []
        shifts: list[Ended] = []
        for label, stack in (("bad", bad), ("good", good)):
            outputs = cloud.deploy(stack, STACK).outputs
            view.step(f"blue serves, {label} green waits at weight 0")
            with Traffic(cloud, outputs["EndpointName"]) as traffic:
                shifts.append(_shift(cloud, outputs["MachineArn"]))
                time.sleep(1)
            view.step(f"shift to the {label} green: {': '.join(filter(None, shifts[-1]))}")
            met.append(sides(traffic.met))
        weights = _weights(cloud, outputs["EndpointName"])
    return judge(met, shifts, weights)


def sides(met: Iterable[Met]) -> Counter[str]:
    """Count requests by the variant that answered; an error of a model names none, and is counted as itself."""
    return Counter(one.outcome if one.variant is None else one.variant for one in met)


def _shift(cloud: LaptopCloud, machine: str) -> Ended:
    states: Any = cloud.client("stepfunctions")
    wanted = json.dumps({"from": "blue", "to": "green"})
    execution = states.start_execution(stateMachineArn=machine, input=wanted)["executionArn"]
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        found: dict[str, Any] = states.describe_execution(executionArn=execution)
        if found["status"] != "RUNNING":
            status = ": ".join(filter(None, (found["status"], found.get("error"))))
            return Ended(status, str(found.get("cause") or ""))
        time.sleep(0.3)
    return Ended("STILL RUNNING", "")


def _weights(cloud: LaptopCloud, endpoint: str) -> dict[str, float]:
    found = cloud.client("sagemaker").describe_endpoint(EndpointName=endpoint)["ProductionVariants"]
    return {variant["VariantName"]: variant["CurrentWeight"] for variant in found}


def judge(met: Sequence[Counter[str]], shifts: Sequence[Ended], weights: Mapping[str, float]) -> Outcome:
    """Hold both shifts against the promises; blue has no faults, so what it did not answer met green."""
    unanswered = sum(part[UNANSWERED] for part in met)
    bad, good = shifts
    met_bad = met[0].total() - met[0]["blue"] - met[0][UNANSWERED]
    serves = weights["green"] > 0 and weights["blue"] == 0 and met[1]["green"] > 0
    tested = bad.status == "FAILED: ShiftStopped" and bad.reason.startswith("synthetic test")
    broken = {
        f"no synthetic test stopped the bad green: {bad.status} {bad.reason}": not tested,
        f"live requests met the bad green: {met_bad}": met_bad > 0,
        f"the shift to a good green ended as {good.status}": good.status != "SUCCEEDED",
        f"the good green does not serve: {weights}": not serves,
        f"{unanswered} requests got no answer": unanswered > 0,
    }
    return Outcome(
        bad_green_status=bad.status,
        bad_green_reason=bad.reason,
        bad_green_live_requests=met_bad,
        good_green_status=good.status,
        good_green_serves=serves,
        requests=sum(part.total() for part in met),
        unanswered=unanswered,
        faults=[text for text, happened in broken.items() if happened],
    )


def _figures(outcome: Outcome) -> Table:
    table = Table(title="blue/green by production variants", show_header=False)
    table.add_row("shift to the bad green", f"{outcome.bad_green_status}, {outcome.bad_green_reason}")
    table.add_row("live requests that met it", str(outcome.bad_green_live_requests))
    table.add_row("shift to the good green", outcome.good_green_status)
    table.add_row("requests", f"{outcome.requests}, {outcome.unanswered} unanswered")
    return table
