"""`make coverage`: runs the tiers one after another, every process of them measured; each tier keeps its own data."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import coverage

ROOT = Path(__file__).resolve().parent.parent
CONFIG = ROOT / ".coveragerc"
DATA = ROOT / "build" / "coverage"
HOOK = Path(__file__).with_name("coverage_hook")
STATE = "ML_LENS_COVERAGE"
NOT_DEEP = ("-m", "not deep")
# One process only: two would wait for each other's laptop clouds, and no figure would change.
TIERS: dict[str, tuple[str, ...]] = {
    **{
        tier: (f"tests/{tier}", *NOT_DEEP)
        for tier in ("handlers", "etl", "model", "unit", "contract", "upgrade", "local")
    },
    # The only tests of the demos' and of the fault suite's own code.
    "demos": (
        *(f"tests/local/test_{name}.py" for name in ("demo", "lake_demo", "loop_demo", "rollout_demo")),
        "tests/local/faults",
    ),
}


def main(argv: Sequence[str]) -> int:
    """Measure the tiers in ``argv``, all if none; what follows ``--`` goes to pytest. Return 1 if one failed."""
    cut = argv.index("--") if "--" in argv else len(argv)
    tiers = argv[:cut] or list(TIERS)
    unknown = [tier for tier in tiers if tier not in TIERS]
    if unknown:
        raise SystemExit(f"no tier {', '.join(unknown)}: there are {', '.join(TIERS)}")
    return max([_measure(tier, (*TIERS[tier], *argv[cut + 1 :])) for tier in tiers])


def _measure(tier: str, arguments: Sequence[str]) -> int:
    """Run one tier; then its data is ``build/coverage/TIER.data``, in the place of an earlier run's."""
    parts = DATA / tier
    shutil.rmtree(parts, ignore_errors=True)
    parts.mkdir(parents=True)
    command = [sys.executable, "-m", "pytest", *arguments]
    code = subprocess.run(command, cwd=ROOT, env=environment(parts / "part"), check=False).returncode
    combine(tier)
    return int(code != 0)


def environment(data: Path) -> dict[str, str]:
    """Return this process's environment with what makes Python measure itself and all that it starts.

    Parameters
    ----------
    data
        Each process writes a file whose name begins with this one.
    """
    path = os.environ.get("PYTHONPATH")
    package = Path(coverage.__file__).parent
    state = {"package": str(package), "config": str(CONFIG), "data": str(data), "path": path}
    hooked = os.pathsep.join(filter(None, [str(HOOK), path]))
    return {**os.environ, STATE: json.dumps(state), "PYTHONPATH": hooked}


def combine(tier: str) -> None:
    """Make one file of what the processes of ``tier`` have written."""
    with contextlib.chdir(ROOT):  # the first entries of [paths] are relative
        measured = coverage.Coverage(config_file=str(CONFIG), data_file=str(DATA / f"{tier}.data"), data_suffix=False)
        measured.erase()
        measured.combine([str(part) for part in (DATA / tier).iterdir()], strict=True)
        measured.save()
    shutil.rmtree(DATA / tier)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
