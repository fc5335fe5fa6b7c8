"""Ratio of the flagship's synth to the same resources written as raw L1s in one file."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ROUNDS = 5
# The floor: generic L1s with the very properties of the flagship. It imports the service modules that a hand-written
# file of typed L1s would import, because those imports are the largest part of a small app's synth.
RAW = """
import json, sys
import aws_cdk as cdk
from aws_cdk import {modules}
app = cdk.App()
stack = cdk.Stack(app, "Raw")
with open(sys.argv[1]) as file:
    resources = json.load(file)["Resources"]
for id, resource in resources.items():
    made = cdk.CfnResource(stack, id, type=resource["Type"], properties=resource.get("Properties", {{}}))
    made.override_logical_id(id)
app.synth()
"""
OURS = "import runpy; runpy.run_path('app.py', run_name='__main__')"
_MODULES = {"KinesisFirehose": "kinesisfirehose", "IoT": "iot"}


def measure() -> dict[str, float]:
    """Return the ratio, the median of several alternated rounds in fresh processes."""
    with tempfile.TemporaryDirectory() as folder:
        _seconds([sys.executable, "-c", OURS], Path(folder, "ours"))
        template = Path(folder, "ours", "IotInference.template.json")
        raw = Path(folder, "raw.py")
        raw.write_text(RAW.format(modules=", ".join(_modules(template))), encoding="utf-8")
        rounds = [
            (
                _seconds([sys.executable, "-c", OURS], Path(folder, f"ours{number}")),
                _seconds([sys.executable, str(raw), str(template)], Path(folder, f"raw{number}")),
            )
            for number in range(ROUNDS)
        ]
    return {"synth_of_the_stack_to_raw_l1s": statistics.median(ours / floor for ours, floor in rounds)}


def _modules(template: Path) -> list[str]:
    resources = json.loads(template.read_text(encoding="utf-8"))["Resources"].values()
    services = {resource["Type"].split("::")[1] for resource in resources}
    return sorted(f"aws_{_MODULES.get(service, service.lower())}" for service in services)


def _seconds(command: list[str], out: Path) -> float:
    environment = {
        **os.environ,
        "CDK_OUTDIR": str(out),
        "CDK_CONTEXT_JSON": json.dumps({"nag": "false", "stacks": "IotInference"}),
    }
    start = time.perf_counter()
    subprocess.run(command, cwd=ROOT, env=environment, check=True)
    return time.perf_counter() - start
