"""`ml-lens demo canary`: a bad version meets a tenth of the traffic, is rolled back, and the deployment fails."""

from __future__ import annotations

import argparse
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from rich.live import Live
from rich.table import Table

from cdk_ml_lens.local.cloud import LaptopCloud
from cdk_ml_lens.local.demo_view import View
from cdk_ml_lens.local.rollout_setting import assembly, report, train
from cdk_ml_lens.local.rollout_traffic import MODEL_ERROR, UNANSWERED, Met, Traffic
from cdk_ml_lens.local.stack_state import DeployError

STACK = "ModelHosting"
CANARY_SHARE = 0.10  # what the stack's Rollout says
MARGIN = 0.02
TIME_SCALE = 3.0
"""At 60 an alarm rings after some twenty requests, too few to tell a tenth of them from an eighth."""

CALLERS, PAUSE_SECONDS = 6, 0.005
BAD = {"ML_LENS_FAULT_ERROR_RATE": "0.15", "ML_LENS_FAULT_WRONG_RATE": "0.5"}
"""The bad version: at a tenth of the traffic, 1.5 % of all requests fail, and the alarm is at 1 %."""

BEFORE_SECONDS, AFTER_SECONDS = 2.0, 2.0


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The result; ``bad_share`` counts from the first to the last request that met the bad version, both included.

    The span is the shift itself: neither the start of the new fleet nor the rollback of the stack dilutes the share.
    """

    rolled_back: bool
    stack_status: str
    reason: str
    canary_share: float
    bad_share: float
    requests: int
    requests_during_shift: int
    bad_requests: int
    unanswered: int
    old_version: str
    old_version_serves_after: bool
    bad_versions: list[str]
    time_scale: float
    seconds: float
    faults: list[str] = field(default_factory=list)


def run(options: argparse.Namespace, app_dir: Path) -> int:
    """Run the demo; the exit code is 1 when a promise is broken."""
    view = View(as_json=options.json)
    with tempfile.TemporaryDirectory(prefix="ml-lens-canary-") as name:
        outcome = _show(Path(name), app_dir, view)
    return report(outcome, _figures(outcome), view, as_json=options.json)


def _show(work: Path, app_dir: Path, view: View) -> Outcome:
    models = train(work, view)
    good = assembly(app_dir, work / "good", STACK, model_artifact=models.old)
    view.step("stack synthesized with the good version")
    with LaptopCloud.start(state_dir=work / "cloud", progress=view.step, time_scale=TIME_SCALE) as cloud:
        endpoint = cloud.deploy(good, STACK).outputs["EndpointName"]
        view.step(f"good version deployed; a minute of AWS now lasts {60 / TIME_SCALE:g} s")
        with Traffic(cloud, endpoint, callers=CALLERS, pause=PAUSE_SECONDS) as traffic:
            # the alarms average over this traffic, too: the longer it runs, the more requests the shift has
            bad = assembly(app_dir, work / "bad", STACK, model_artifact=models.new, model_environment=BAD)
            view.step("stack synthesized with the bad version; the update begins")
            time.sleep(BEFORE_SECONDS)
            update = _Update(cloud, bad)
            with view.live() as live:
                while update.running:
                    _draw(live, view, cloud, traffic)
            view.step(f"update ended: {update.status}")
            time.sleep(AFTER_SECONDS)
        return judge(traffic.met, Ended(update.status, update.reason, update.begun, update.ended))


class Ended(NamedTuple):
    """How the update ended, and when it began and ended, in ``time.monotonic``."""

    status: str
    reason: str
    begun: float
    ended: float


class _Update:
    """The deployment of the bad version, beside the traffic."""

    def __init__(self, cloud: LaptopCloud, assembly_dir: Path) -> None:
        self.status, self.reason = "", ""
        self.begun, self.ended = time.monotonic(), 0.0
        self._thread = threading.Thread(target=self._deploy, args=(cloud, assembly_dir), daemon=True)
        self._thread.start()

    @property
    def running(self) -> bool:
        return self._thread.is_alive()

    def _deploy(self, cloud: LaptopCloud, assembly_dir: Path) -> None:
        try:
            self.status = cloud.deploy(assembly_dir, STACK).status
        except DeployError as failure:
            self.status, self.reason = failure.status, str(failure)
        finally:
            self.ended = time.monotonic()


def shift_of(met: Sequence[Met], old: str) -> list[Met]:
    """Return the requests from the first to the last that met another version than ``old``, by when they were sent."""
    sent = sorted(met, key=lambda one: one.at)
    bad = [number for number, one in enumerate(sent) if one.outcome not in (old, UNANSWERED)]
    return sent[bad[0] : bad[-1] + 1] if bad else []


def judge(met: Sequence[Met], update: Ended) -> Outcome:
    """Hold what the requests met against the demo's promises."""
    old = Counter(one.outcome for one in met if one.at < update.begun).most_common(1)[0][0]
    shift = shift_of(met, old)
    bad = [one.outcome for one in shift if one.outcome not in (old, UNANSWERED)]
    share = len(bad) / max(1, len(shift))
    unanswered = sum(one.outcome == UNANSWERED for one in met)
    rolled_back = "rolled back" in update.reason and update.status == "UPDATE_ROLLBACK_COMPLETE"
    serves = {one.outcome for one in met if one.at > update.ended} == {old}
    broken = {
        "the bad version was not rolled back": not rolled_back,
        f"{unanswered} requests got no answer": unanswered > 0,
        f"{share:.1%} of the requests met the bad version": share > CANARY_SHARE + MARGIN,
        "no request met the bad version: nothing was shown": not bad,
        "the old version does not serve alone afterwards": not serves,
    }
    return Outcome(
        rolled_back=rolled_back,
        stack_status=update.status,
        reason=update.reason,
        canary_share=CANARY_SHARE,
        bad_share=round(share, 4),
        requests=len(met),
        requests_during_shift=len(shift),
        bad_requests=len(bad),
        unanswered=unanswered,
        old_version=old,
        old_version_serves_after=serves,
        bad_versions=sorted(set(bad) - {MODEL_ERROR}),
        time_scale=TIME_SCALE,
        seconds=round(update.ended - update.begun, 1),
        faults=[text for text, happened in broken.items() if happened],
    )


def _draw(live: Live, view: View, cloud: LaptopCloud, traffic: Traffic) -> None:
    time.sleep(0.4)
    if not view.console.is_terminal:
        return
    recent = traffic.counted(since=time.monotonic() - 1.0)
    table = Table(title="the last second, by what requests met")
    for column in ("met", "requests", "share"):
        table.add_column(column)
    for outcome, count in recent.most_common():
        style = "red" if outcome in (MODEL_ERROR, UNANSWERED) else ""
        table.add_row(outcome, str(count), "█" * round(40 * count / recent.total()), style=style)
    alarms = cloud.client("cloudwatch").describe_alarms(StateValue="ALARM")["MetricAlarms"]
    status = cloud.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"][0]["StackStatus"]
    table.caption = f"{status}; alarms: " + (", ".join(alarm["MetricName"] for alarm in alarms) or "none")
    live.update(table, refresh=True)


def _figures(outcome: Outcome) -> Table:
    table = Table(title="canary of a bad version", show_header=False)
    rows = {
        "rolled back": "yes" if outcome.rolled_back else "no",
        "stack": outcome.stack_status,
        "requests": f"{outcome.requests}, {outcome.requests_during_shift} of them during the shift",
        "met the bad version": f"{outcome.bad_requests} ({outcome.bad_share:.1%}), canary {outcome.canary_share:.0%}",
        "unanswered": str(outcome.unanswered),
        "serves afterwards": outcome.old_version if outcome.old_version_serves_after else "not the old version alone",
        "time": f"a minute of AWS lasted {60 / outcome.time_scale:g} s",
    }
    for key, value in rows.items():
        table.add_row(key, value)
    return table
