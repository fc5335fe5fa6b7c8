"""`ml-lens demo ab`: the A/B test's own statistics on simulated users; the better model wins, equal ones do not."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from rich.table import Table

from cdk_ml_lens.core.assets import bundled
from cdk_ml_lens.local.demo_view import View
from cdk_ml_lens.local.rollout_setting import report

RUNS = 100
WINS_WANTED, FALSE_ALLOWED = 0.95, 0.05


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How often the better of two models won, and how often equal ones were declared different."""

    runs: int
    better_wins: int
    declared_different: int
    median_users_to_win: int
    simulated: bool = True
    faults: list[str] = field(default_factory=list)


def run(options: argparse.Namespace, runs: int = RUNS) -> int:
    """Run the demo; the exit code is 1 when a rate misses its bound."""
    view = View(as_json=options.json)
    view.step(f"2 x {runs} tests on simulated users, conversion 4 % against 6 %, and 5 % against 5 %")
    outcome = judge(simulate(runs), runs)
    return report(outcome, _figures(outcome), view, as_json=options.json)


def simulate(runs: int) -> dict[str, dict[str, object]]:
    """Run the simulation with the runtime code on its path, as it is in Lambda."""
    script = Path(__file__).with_name("ab_simulation.py")
    environment = {**os.environ, "PYTHONPATH": str(bundled("lambda_src"))}
    done = subprocess.run(
        [sys.executable, str(script), str(runs)], env=environment, check=False, capture_output=True, text=True
    )
    if done.returncode != 0:
        raise RuntimeError(f"the simulation failed: {done.stderr.strip()[-500:]}")
    found: dict[str, dict[str, object]] = json.loads(done.stdout)
    return found


def judge(found: dict[str, dict[str, object]], runs: int) -> Outcome:
    """Hold the rates against their bounds."""
    better, equal = _counts(found["better"]), _counts(found["equal"])
    wins, different = better.get("treatment", 0), equal.get("treatment", 0) + equal.get("control", 0)
    broken = {
        f"the better model won {wins} of {runs}": wins < WINS_WANTED * runs,
        f"equal models were declared different in {different} of {runs}": different > FALSE_ALLOWED * runs,
    }
    return Outcome(
        runs=runs,
        better_wins=wins,
        declared_different=different,
        median_users_to_win=int(str(found["better"]["median_users"])),
        faults=[text for text, happened in broken.items() if happened],
    )


def _counts(side: dict[str, object]) -> dict[str, int]:
    counts = side["decisions"]
    assert isinstance(counts, dict)
    return counts


def _figures(outcome: Outcome) -> Table:
    table = Table(title=f"A/B tests on simulated users, {outcome.runs} runs each", show_header=False)
    table.add_row("4 % against 6 %: the better one won", f"{outcome.better_wins} of {outcome.runs}")
    table.add_row("users until then, median", f"{outcome.median_users_to_win:,}")
    table.add_row("5 % against 5 %: declared different", f"{outcome.declared_different} of {outcome.runs}")
    return table
