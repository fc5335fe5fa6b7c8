"""The measurement of coverage: every process counts, however it ends, and none sees that it is measured."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import coverage
import pytest

from tools import coverage_report, coverage_run

# A program with an environment of its own, as the laptop cloud's server and its workers are.
PARENT = """
import os, subprocess, sys
done = subprocess.run([sys.executable, sys.argv[1], *sys.argv[2:]], env={"KEPT": "1"}, stdout=subprocess.PIPE)
sys.stdout.buffer.write(done.stdout)
"""
CHILD = """
import json, os, signal, sys
print(json.dumps([dict(os.environ), sys.path]), flush=True)
if sys.argv[1] == "exit":
    os._exit(3)
if sys.argv[1] == "signal":
    os.kill(os.getpid(), signal.SIGTERM)
"""


def run(folder: Path, way: str) -> tuple[dict[str, str], list[str]]:
    """Run both programs measured; return what the inner one sees."""
    code = folder / "copy" / "ml_lens_runtime"
    code.mkdir(parents=True)
    (code / "parent.py").write_text(PARENT)
    (code / "child.py").write_text(CHILD)
    command = [sys.executable, str(code / "parent.py"), str(code / "child.py"), way]
    environment = coverage_run.environment(folder / "part")
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    seen, path = json.loads(done.stdout)
    return seen, path


def lines(folder: Path) -> dict[str, list[int]]:
    """Return the lines that ran, by file."""
    found: dict[str, list[int]] = {}
    for part in folder.glob("part.*"):
        data = coverage.CoverageData(str(part))
        data.read()
        found |= {Path(path).name: sorted(data.lines(path) or []) for path in data.measured_files()}
    return found


@pytest.mark.parametrize(("way", "last"), [("end", 6), ("exit", 5), ("signal", 7)])
def test_a_process_with_an_environment_of_its_own_counts_however_it_ends(tmp_path: Path, way: str, last: int) -> None:
    run(tmp_path, way)
    found = lines(tmp_path)
    assert found["parent.py"] == [2, 3, 4]
    assert found["child.py"][-1] == last


def test_a_measured_process_sees_the_environment_that_it_was_given(tmp_path: Path) -> None:
    seen, path = run(tmp_path, "end")
    assert {name for name in seen if not name.startswith("LC_")} == {"KEPT"}
    assert str(coverage_run.HOOK) not in path


def test_a_file_that_nothing_imports_counts_as_not_run(tmp_path: Path) -> None:
    data = coverage.CoverageData(str(tmp_path / "some.data"))
    data.add_arcs({str(coverage_report.ROOT / "lambda_src/ml_lens_runtime/errors.py"): [(-1, 1)]})
    data.write()
    files = coverage_report.measured([tmp_path / "some.data"])
    every = {path.relative_to(coverage_report.ROOT).as_posix() for path in coverage_report.ROOT.glob("etl_src/**/*.py")}
    assert every <= set(files)
    found = coverage_report.total("etl_src", files)
    assert (found.run_statements, found.run_branches) == (0, 0)
    assert found.statements > 1000
    assert not found.enough()


@pytest.mark.parametrize(
    ("ran", "enough"), [((95, 90), True), ((94, 100), False), ((100, 89), False), ((100, 100), True)]
)
def test_a_package_needs_both_goals(ran: tuple[int, int], enough: bool) -> None:
    summary: dict[str, Any] = {"num_statements": 100, "num_branches": 100}
    summary |= {"covered_lines": ran[0], "covered_branches": ran[1]}
    other = {"num_statements": 9, "num_branches": 9, "covered_lines": 0, "covered_branches": 0}
    files = {"etl_src/a.py": {"summary": summary}, "etl_src_other/b.py": {"summary": other}}
    assert coverage_report.total("etl_src", files).enough() is enough


def test_the_working_folder_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    data = coverage.CoverageData(str(tmp_path / "some.data"))
    data.add_arcs({str(coverage_report.ROOT / "etl_src/jobs/run_step.py"): [(-1, 1)]})
    data.write()
    coverage_report.measured([tmp_path / "some.data"])
    assert Path(os.getcwd()) == tmp_path
