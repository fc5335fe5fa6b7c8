"""`ml-lens demo bluegreen`: a bad green is stopped by its synthetic test, a good one takes over."""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.table import Table

from cdk_ml_lens.local.cloud import LaptopCloud
from cdk_ml_lens.local.demo_view import View
from cdk_ml_lens.local.rollout_setting import FAULTY, assembly, report, train
from cdk_ml_lens.local.rollout_traffic import UNANSWERED, Traffic

STACK = "TrafficShift"
BAKE_SECONDS = "5"
PATIENCE_SECONDS = 90


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What live traffic met while a bad green was tried, and then a good one."""

    bad_green_status: str
    bad_green_live_requests: int
    good_green_status: str
    good_green_serves: bool
    requests: int
    unanswered: int
    faults: list[str] = field(default_factory=list)


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
        statuses: list[str] = []
        for label, stack in (("bad", bad), ("good", good)):
            outputs = cloud.deploy(stack, STACK).outputs
            view.step(f"blue serves, {label} green waits at weight 0")
            with Traffic(cloud, outputs["EndpointName"]) as traffic:
                statuses.append(_shift(cloud, outputs["MachineArn"]))
                time.sleep(1)
            view.step(f"shift to the {label} green: {statuses[-1]}")
            met.append(traffic.by_variant() + Counter({UNANSWERED: traffic.counted()[UNANSWERED]}))
        weights = _weights(cloud, outputs["EndpointName"])
    return _judge(met, statuses, weights)


def _shift(cloud: LaptopCloud, machine: str) -> str:
    states: Any = cloud.client("stepfunctions")
    wanted = json.dumps({"from": "blue", "to": "green"})
    execution = states.start_execution(stateMachineArn=machine, input=wanted)["executionArn"]
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        found: dict[str, Any] = states.describe_execution(executionArn=execution)
        if found["status"] != "RUNNING":
            return ": ".join(filter(None, (found["status"], found.get("error"))))
        time.sleep(0.3)
    return "STILL RUNNING"


def _weights(cloud: LaptopCloud, endpoint: str) -> dict[str, float]:
    found = cloud.client("sagemaker").describe_endpoint(EndpointName=endpoint)["ProductionVariants"]
    return {variant["VariantName"]: variant["CurrentWeight"] for variant in found}


def _judge(met: list[Counter[str]], statuses: list[str], weights: dict[str, float]) -> Outcome:
    unanswered = sum(part[UNANSWERED] for part in met)
    serves = weights["green"] > 0 and weights["blue"] == 0
    broken = {
        f"the shift to a bad green ended as {statuses[0]}": not statuses[0].startswith("FAILED"),
        f"live requests met the bad green: {met[0]['green']}": met[0]["green"] > 0,
        f"the shift to a good green ended as {statuses[1]}": statuses[1] != "SUCCEEDED",
        f"the good green does not serve: {weights}": not serves,
        f"{unanswered} requests got no answer": unanswered > 0,
    }
    return Outcome(
        bad_green_status=statuses[0],
        bad_green_live_requests=met[0]["green"],
        good_green_status=statuses[1],
        good_green_serves=serves,
        requests=sum(part.total() for part in met),
        unanswered=unanswered,
        faults=[text for text, happened in broken.items() if happened],
    )


def _figures(outcome: Outcome) -> Table:
    table = Table(title="blue/green by production variants", show_header=False)
    table.add_row("shift to the bad green", outcome.bad_green_status)
    table.add_row("live requests that met it", str(outcome.bad_green_live_requests))
    table.add_row("shift to the good green", outcome.good_green_status)
    table.add_row("requests", f"{outcome.requests}, {outcome.unanswered} unanswered")
    return table
