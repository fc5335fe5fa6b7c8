"""The Spark engine: a real local Spark in its own environment gives the table of the single node, cut devices too."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from cdk_ml_lens.local import venvs
from tests.etl import reference
from tests.etl.lake import Lake

SCRIPT = Path(__file__).parents[2] / "etl_src" / "jobs" / "run_step.py"
STANDARD = reference.definition(normalisation={"method": "minmax", "per": "all"})


def _java() -> int:
    """Return Java's major version, 0 without one."""
    found = shutil.which("java")
    if found is None:
        return 0
    told = subprocess.run([found, "-version"], capture_output=True, text=True, check=False).stderr
    version = re.search(r'version "(\d+)', told)
    return int(version.group(1)) if version else 0


pytestmark = pytest.mark.skipif(_java() < 17, reason="the Spark engine needs Java 17, this machine has none")


class SparkLake(Lake):
    """The same lake, each step in a process of its own as Glue starts it."""

    def run(self, step: str, **options: str) -> dict[str, Any]:
        command = [str(venvs.ensure("spark")), str(SCRIPT), *self.arguments(step, engine="spark", **options)]
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "SPARK"))}
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment, timeout=300)
        assert done.returncode == 0, done.stderr
        account: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return account


def test_both_engines_publish_equal_tables_and_equal_accounts(tmp_path: Path) -> None:
    alone, spread = Lake(tmp_path / "alone", STANDARD), SparkLake(tmp_path / "spark", STANDARD)
    for lake in (alone, spread):
        for seed in range(3):
            lake.put(f"d{seed}", reference.series(seed, length=100))
        lake.put("large", reference.series(7, length=900))  # too large for one task of Spark's
    accounts = alone.pipeline()
    for account, other in zip(accounts, spread.pipeline(rows_per_task="400"), strict=True):
        counts = ("in", "out", "quarantined")
        assert [other[name] for name in counts] == [account[name] for name in counts]
    assert len(list((spread.home / "transformed").rglob("device_id=large/*.parquet"))) >= 2
    for name in ("modelled", "enhanced", "transformed"):
        one, other = alone.table(name), spread.table(name)
        assert_frame_equal(other, one, rel_tol=1e-9, abs_tol=1e-12)
    # The values of rows that were not cut, cleaned by the same operations, are equal to the last bit.
    whole = pl.col("device_id") != "large"
    modelled = spread.table("modelled").filter(whole), alone.table("modelled").filter(whole)
    assert_frame_equal(*modelled, check_exact=True)


def test_a_failing_task_fails_the_job_with_its_cause(tmp_path: Path) -> None:
    lake = SparkLake(tmp_path, STANDARD)
    lake.put("d0", reference.series(0, length=20))
    broken = next((lake.home / "raw").rglob("*.parquet"))
    broken.write_bytes(b"no parquet")
    with pytest.raises(AssertionError, match=f"InputError: .*{broken.name} is no Parquet"):
        lake.run("clean")
    assert lake.table("modelled").is_empty()
