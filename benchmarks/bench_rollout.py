"""Share of requests that meet a bad canary before it is rolled back, on the laptop cloud."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def measure() -> dict[str, float]:
    """Run the canary demo once and return its share of bad requests."""
    command = [sys.executable, "-m", "cdk_ml_lens.local.cli", "demo", "canary", "--json"]
    shown = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    return {"bad_share_before_rollback": float(json.loads(shown.stdout)["bad_share"])}
