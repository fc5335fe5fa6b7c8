"""`ml-lens demo canary`: a bad version meets a tenth of the traffic, is rolled back, and the deployment fails."""

from __future__ import annotations

import argparse
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from rich.live import Live
from rich.table import Table

from cdk_ml_lens.local.cloud import LaptopCloud
from cdk_ml_lens.local.demo_view import View
from cdk_ml_lens.local.rollout_setting import FAULTY, assembly, report, train
from cdk_ml_lens.local.rollout_traffic import MODEL_ERROR, UNANSWERED, Traffic
from cdk_ml_lens.local.stack_state import DeployError

STACK = "ModelHosting"
CANARY_SHARE = 0.10  # what the stack's Rollout says
MARGIN = 0.02
TIME_SCALE = 60.0
BEFORE_SECONDS, AFTER_SECONDS = 2.0, 2.0


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The result; ``bad_share`` counts from the start of the update to its end, rollback included."""

    rolled_back: bool
    stack_status: str
    reason: str
    canary_share: float
    bad_share: float
    requests: int
    requests_during_update: int
    bad_requests: int
    unanswered: int
    old_version: str
    old_version_serves_after: bool
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
    bad = assembly(app_dir, work / "bad", STACK, model_artifact=models.new, model_environment=FAULTY)
    view.step("both versions of the stack synthesized")
    with LaptopCloud.start(state_dir=work / "cloud", progress=view.step, time_scale=TIME_SCALE) as cloud:
        endpoint = cloud.deploy(good, STACK).outputs["EndpointName"]
        view.step("good version deployed; a minute of AWS now lasts a second")
        with Traffic(cloud, endpoint) as traffic:
            time.sleep(BEFORE_SECONDS)
            update = _Update(cloud, bad)
            with view.live() as live:
                while update.running:
                    _draw(live, view, cloud, traffic)
            view.step(f"update ended: {update.status}")
            time.sleep(AFTER_SECONDS)
        return _judge(traffic, update)


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


def _judge(traffic: Traffic, update: _Update) -> Outcome:
    before = traffic.counted(until=update.begun)
    during = traffic.counted(since=update.begun, until=update.ended)
    after = traffic.counted(since=update.ended)
    old = before.most_common(1)[0][0]
    bad = during.total() - during[old] - during[UNANSWERED]
    share = bad / max(1, during.total())
    unanswered = sum(part[UNANSWERED] for part in (before, during, after))
    rolled_back = "rolled back" in update.reason and update.status == "UPDATE_ROLLBACK_COMPLETE"
    serves = set(after) == {old}
    broken = {
        "the bad version was not rolled back": not rolled_back,
        f"{unanswered} requests got no answer": unanswered > 0,
        f"{share:.1%} of the requests met the bad version": share > CANARY_SHARE + MARGIN,
        "no request met the bad version: nothing was shown": bad == 0,
        "the old version does not serve alone afterwards": not serves,
    }
    return Outcome(
        rolled_back=rolled_back,
        stack_status=update.status,
        reason=update.reason,
        canary_share=CANARY_SHARE,
        bad_share=round(share, 4),
        requests=len(traffic.met),
        requests_during_update=during.total(),
        bad_requests=bad,
        unanswered=unanswered,
        old_version=old,
        old_version_serves_after=serves,
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
    table.caption = "alarms: " + (", ".join(alarm["MetricName"] for alarm in alarms) or "none")
    live.update(table, refresh=True)


def _figures(outcome: Outcome) -> Table:
    table = Table(title="canary of a bad version", show_header=False)
    rows = {
        "rolled back": "yes" if outcome.rolled_back else "no",
        "stack": outcome.stack_status,
        "requests": f"{outcome.requests}, {outcome.requests_during_update} of them during the update",
        "met the bad version": f"{outcome.bad_requests} ({outcome.bad_share:.1%}), canary {outcome.canary_share:.0%}",
        "unanswered": str(outcome.unanswered),
        "serves afterwards": outcome.old_version if outcome.old_version_serves_after else "not the old version alone",
        "time": f"a minute of AWS lasted {60 / outcome.time_scale:g} s",
    }
    for key, value in rows.items():
        table.add_row(key, value)
    return table
