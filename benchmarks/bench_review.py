"""Share of synth time that our checks add, on the largest stack."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ROUNDS = 7
# The stack is built and synthesized as app.py does it; only the plugin differs between the two sides. What `import`
# of the plugin costs counts as its cost: the clock starts before it.
CODE = """
import sys, time
import aws_cdk as cdk
from app import flags
from stacks.mlops_loop import MlopsLoopStack
start = time.perf_counter()
app = cdk.App(context=flags())
MlopsLoopStack(app, "MlopsLoop")
if sys.argv[1] == "with":
    from cdk_ml_lens import MlLensChecks
    cdk.Validations.of(app).add_plugins(MlLensChecks())
app.synth()
print(time.perf_counter() - start)
"""


def measure() -> dict[str, float]:
    """Return time with our pack ÷ time without, the median of alternated rounds in fresh processes."""
    rounds = []
    for number in range(ROUNDS):
        sides = ("with", "without") if number % 2 else ("without", "with")
        seconds = {side: _seconds(side) for side in sides}
        rounds.append(seconds["with"] / seconds["without"])
    return {"synth_with_our_checks_over_without": statistics.median(rounds)}


def _seconds(side: str) -> float:
    with tempfile.TemporaryDirectory() as out:
        environment = {**os.environ, "CDK_OUTDIR": out, "CDK_VALIDATION": "false"}
        begin = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-c", CODE, side], cwd=ROOT, env=environment, check=True, capture_output=True, text=True
        )
        inside = float(done.stdout.split()[-1])
    if not 0 < inside < time.perf_counter() - begin:
        raise RuntimeError(f"the run's own clock says {inside} s, more than the process took")
    return inside
