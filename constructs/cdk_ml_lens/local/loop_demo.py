"""`ml-lens demo loop`: a model is trained on the lake, deployed, drifts, is trained anew, and the new one answers."""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from rich.table import Table

from cdk_ml_lens.local import venvs
from cdk_ml_lens.local.cloud import LaptopCloud
from cdk_ml_lens.local.demo_accounts import Accounts
from cdk_ml_lens.local.demo_fleet import Fleet
from cdk_ml_lens.local.demo_plan import Plan
from cdk_ml_lens.local.demo_view import View
from cdk_ml_lens.local.device import Broker
from cdk_ml_lens.local.loop_plan import LoopPlan, plan
from cdk_ml_lens.local.loop_watch import Loop, until
from cdk_ml_lens.local.rollout_setting import assembly, report

STACK = "MlopsLoop"
RATE = 150.0
DEVICES = 8
FEATURES = 25
TIME_SCALE = 60.0
CONTEXT = {
    "causes": "",
    "bake_minutes": "5",
    "cool_down_minutes": "0",
    "minimum_new_rows": "100",
    "most_alerts": "0.2",
    "quantile": "0.98",
    "rate_seconds": "300",
}
"""The demo has minutes and a thousand rows, where the stack's defaults are made for hours and many more."""


@dataclass(frozen=True, kw_only=True)
class Moment:
    """Something that happened, with its numbers."""

    seconds: float
    what: str
    numbers: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The result; ``retrainings`` counts the runs that drift started."""

    drift_detected: bool
    false_alarm: bool
    retrainings: int
    old_version: str
    new_version: str
    answers: str
    rolled_out: bool
    timeline: list[dict[str, Any]]
    faults: list[str] = field(default_factory=list)


class _Story:
    """The time line, shown while it happens."""

    def __init__(self, view: View) -> None:
        self._view, self._begun = view, time.monotonic()
        self.moments: list[Moment] = []

    def tell(self, what: str, **numbers: Any) -> None:
        self.moments.append(Moment(seconds=round(time.monotonic() - self._begun, 1), what=what, numbers=numbers))
        figures = ", ".join(f"{name} {value}" for name, value in numbers.items())
        self._view.step(f"{what}{': ' if figures else ''}{figures}")


def run(options: argparse.Namespace, app_dir: Path) -> int:
    """Run the demo; the exit code is 1 when a promise of the loop is broken."""
    view = View(as_json=options.json)
    for name in ("model", "etl"):
        venvs.ensure(name, progress=view.step)
    with tempfile.TemporaryDirectory(prefix="ml-lens-loop-") as folder:
        work = Path(folder)
        out = assembly(app_dir, work / "cdk.out", STACK, **CONTEXT)
        view.step("app synthesized")
        with LaptopCloud.start(state_dir=work / "cloud", progress=view.step, time_scale=TIME_SCALE) as cloud:
            outputs = cloud.deploy(out, STACK).outputs
            view.step(f"{STACK} deployed; a minute of AWS now lasts {60 / TIME_SCALE:g} s")
            wanted = plan(devices=DEVICES, seed=options.seed, now=datetime.now(UTC))
            broker = Broker(host="localhost", port=cloud.mqtt_port, ca_path=cloud.ca_path)
            outcome = _Run(Loop(cloud, outputs), wanted, _Story(view), broker, work).play()
    return report(outcome, _figures(outcome), view, as_json=options.json)


class _Run:
    """One run of the loop, from the first reading to the second version."""

    def __init__(self, loop: Loop, wanted: LoopPlan, story: _Story, broker: Broker, work: Path) -> None:
        self._loop, self._wanted, self._story, self._broker, self._work = loop, wanted, story, broker, work
        self._streamed = 0

    def play(self) -> Outcome:
        """Play the acts and judge what was seen."""
        wanted = self._wanted
        old = self._first_version(wanted.history)
        quiet = self._traffic(wanted.quiet, "sensors as before", number=1)
        before = len(self._loop.executions("TrainingArn"))
        drifted = self._traffic(wanted.shifted, "sensors have shifted", number=2)
        state = until(
            "the drift alarm", lambda: self._loop.alarm() if self._loop.alarm() == "ALARM" else None, seconds=60
        )
        self._story.tell("alarm went off", state=state)
        new = self._version(2, "retrained because of drift")
        answers = str(self._loop.answer(FEATURES)["model_version"])
        self._story.tell("the endpoint answers", model_version=answers)
        runs = len(self._loop.executions("TrainingArn")) - before
        return judge(
            quiet=bool(quiet["drifted"]),
            drifted=bool(drifted["drifted"]),
            runs=runs,
            old=old,
            new=new,
            answers=answers,
            moments=self._story.moments,
        )

    def _first_version(self, history: Plan) -> str:
        self._stream(history)
        self._loop.wait_for("TelemetryTable", self._streamed)
        self._story.tell("history is in the lake", readings=self._streamed)
        self._loop.request_training("first model")
        version = self._version(1, "first model")
        self._loop.ended("BaselineArn", 1)
        self._story.tell("baseline of the training data made")
        return version

    def _version(self, number: int, why: str) -> str:
        """Wait for a version to be trained, approve it, and wait until it serves."""
        self._loop.ended("TrainingArn", number)
        package = self._loop.packages()[number - 1]
        manifest = self._loop.manifest(package)
        metrics = {name: round(float(value), 4) for name, value in manifest["metrics"].items()}
        version = str(manifest["model_version"])
        self._story.tell(f"{why}: trained, passed the gate, registered", version=version, **metrics)
        self._loop.approve(package, "the demo")
        self._story.tell("approved by the demo", version=version)
        self._loop.ended("DeploymentArn", number)
        self._story.tell("deployed" if number == 1 else "rolled out by a canary", version=version)
        return version

    def _traffic(self, part: Plan, what: str, *, number: int) -> dict[str, Any]:
        """Stream readings, wait until the model has scored them, and have the monitor judge that time."""
        start = datetime.now(UTC)
        known = self._loop.athena.count(self._loop.outputs["PredictionTable"])
        self._stream(part)
        self._loop.wait_for("PredictionTable", known + len(part.outgoing))
        time.sleep(1.0)  # the window ends with a whole second
        found = self._loop.judge(start, datetime.now(UTC) + timedelta(seconds=1), number)
        worst = sorted(found.get("violations", []), key=lambda one: -float(one["value"]))
        numbers = {"rows": found["rows"], "drifted": found["drifted"], "violations": len(worst)}
        if worst:
            numbers["worst"] = f"{worst[0]['feature']} {worst[0]['statistic']} {float(worst[0]['value']):.2f}"
        self._story.tell(f"{what}, judged", **numbers)
        return found

    def _stream(self, part: Plan) -> None:
        accounts = Accounts(part)
        with Fleet(broker=self._broker, outputs=self._loop.outputs, accounts=accounts) as fleet:
            folder = self._work / f"devices-{part.title}"
            fleet.provision(part.devices, iot=self._loop.cloud.client("iot"), folder=folder)
            fleet.stream(part.outgoing, rate=RATE, on_tick=lambda: None)
        self._streamed += len(part.outgoing)
        self._story.tell(f"{part.title} streamed", readings=len(part.outgoing))


def judge(
    *, quiet: bool, drifted: bool, runs: int, old: str, new: str, answers: str, moments: Sequence[Moment]
) -> Outcome:
    """Hold what was seen against the loop's promises."""
    broken = {
        "traffic without change was called drifted": quiet,
        "the shift of the sensors was not found": not drifted,
        f"drift started {runs} retrainings, one was due": runs != 1,
        "the new version is the old one": old == new,
        f"the endpoint answers with {answers}, not with {new}": answers != new,
    }
    return Outcome(
        drift_detected=drifted,
        false_alarm=quiet,
        retrainings=runs,
        old_version=old,
        new_version=new,
        answers=answers,
        rolled_out=answers == new != old,
        timeline=[{"seconds": one.seconds, "what": one.what, **one.numbers} for one in moments],
        faults=[text for text, happened in broken.items() if happened],
    )


def _figures(outcome: Outcome) -> Table:
    table = Table(title="the loop, closed" if not outcome.faults else "the loop")
    for name in ("seconds", "what", "numbers"):
        table.add_column(name, justify="right" if name == "seconds" else "left")
    for moment in outcome.timeline:
        numbers = ", ".join(f"{name} {value}" for name, value in moment.items() if name not in ("seconds", "what"))
        table.add_row(f"{moment['seconds']:.1f}", moment["what"], numbers)
    return table
