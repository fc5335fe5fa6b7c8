"""Parts of the lake's server: the host's Java, projected dates, and a run that takes too long."""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cdk_ml_lens.local.server import athena_projection, host
from tests.local.server_probe import probe

LATE = """
from pathlib import Path
run = module("glue_process")
plan = run.Plan(job="j", run_id="jr", role="r", region="us-east-1", account="000000000000", script="s3://b/k",
                arguments={}, seconds=2.0, folder=Path(sys.argv[2]))
class Slow(run.JobProcess):
    def _prepared(self):
        start = "import subprocess, sys; subprocess.run([sys.executable, '-c', sys.argv[1], sys.argv[2]])"
        return [sys.executable, "-c", start, sys.argv[3], sys.argv[2]], {}
process = Slow(plan=plan, pythons=None)
try:
    process.run()
except run.RunError as failure:
    answer([failure.state, str(failure)])
"""
BEATING = """
import sys, time
for _ in range(600):
    open(sys.argv[1] + "/beats", "a").write("x")
    time.sleep(0.05)
"""


def test_a_run_beyond_its_timeout_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    assert probe(LATE, tmp_path, BEATING) == ["TIMEOUT", "Job run exceeded its timeout"]
    beats = (tmp_path / "beats").stat().st_size
    assert beats > 0
    time.sleep(0.3)
    assert (tmp_path / "beats").stat().st_size == beats


def java(folder: Path, version: str) -> None:
    """Write a Java into ``folder`` that says no more than its version."""
    program = folder / "bin" / "java"
    program.parent.mkdir(parents=True)
    program.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\"' >&2\n")
    program.chmod(0o755)


@pytest.mark.parametrize(("version", "fits"), [("17.0.2", True), ("11.0.1", False), ("21", False)])
def test_spark_wants_java_17(version: str, fits: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    java(tmp_path, version)
    monkeypatch.setattr(host, "variables", lambda: {"JAVA_HOME": str(tmp_path)})
    if fits:
        assert host.java_home() == {"JAVA_HOME": str(tmp_path)}
    else:
        with pytest.raises(host.HostError, match=f"Spark needs Java 17, got .*{version}"):
            host.java_home()


def test_without_java_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host, "variables", dict)
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(host.HostError, match=r"Spark needs Java 17: install it \(OpenJDK 17\) or set JAVA_HOME"):
        host.java_home()


def test_an_environment_is_made_once_or_says_what_its_installer_said(tmp_path: Path) -> None:
    installer = tmp_path / "installer.py"
    installer.write_text(
        "import pathlib, sys\n"
        "with open(sys.argv[1], 'a') as calls: calls.write(sys.argv[2])\n"
        "if sys.argv[2] == 'spark': sys.exit('no such package')\n"
        "print('installing', pathlib.Path('/venvs') / sys.argv[2], sep='\\n')\n"
    )
    calls = tmp_path / "calls"
    pythons = host.Pythons((sys.executable, str(installer), str(calls)))
    assert [pythons.ensure("etl"), pythons.ensure("etl")] == [Path("/venvs/etl"), Path("/venvs/etl")]
    with pytest.raises(host.HostError, match="the spark environment cannot be made: no such package"):
        pythons.ensure("spark")
    assert calls.read_text() == "etlspark"


@pytest.mark.parametrize(("days", "there"), [(-1, True), (0, True), (1, True), (2, False), (-400, False)])
def test_projected_dates_end_with_the_range(days: int, there: bool) -> None:
    now = datetime.now(UTC)
    since = f"{now - timedelta(days=30):%Y-%m-%d}"
    parameters = {
        "projection.enabled": "TRUE",
        "projection.date.type": "date",
        "projection.date.format": "yyyy-MM-dd",
        "projection.date.range": f"{since},NOW+1DAY",
    }
    projection = athena_projection.Projection.of({"Parameters": parameters, "PartitionKeys": [{"Name": "date"}]})
    assert projection is not None
    assert projection.holds({"date": f"{now + timedelta(days=days):%Y-%m-%d}"}) is there


@pytest.mark.parametrize(
    ("rule", "good", "bad"),
    [
        ({"type": "enum", "values": "a, b"}, "b", "c"),
        ({"type": "integer", "range": "1,12", "digits": "2"}, "07", "7"),
        ({"type": "integer", "range": "1,12"}, "12", "13"),
        ({"type": "date", "format": "yyyy/MM", "range": "2026/01,2026/03"}, "2026/02", "2026-02"),
    ],
)
def test_projected_values_follow_their_rule(rule: dict[str, str], good: str, bad: str) -> None:
    projection = athena_projection.Projection(rules={"p": rule})
    assert projection.holds({"p": good})
    assert not projection.holds({"p": bad})
