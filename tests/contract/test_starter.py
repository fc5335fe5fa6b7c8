"""`ml-lens new`: what it writes is complete, clean and passes its own synthesis tests; bad names write nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from cdk_ml_lens.local import cli_new
from cdk_ml_lens.local.cli import main

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("new") / "plant-alerts"
    cli_new.write(folder)
    return folder


def run(app: Path, *command: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "CDK_VALIDATION": "false"}
    return subprocess.run(command, cwd=app, env=environment, capture_output=True, text=True, check=False)


def test_every_placeholder_has_the_name_of_the_app(app: Path) -> None:
    files = {path.relative_to(app).as_posix(): path.read_text() for path in app.rglob("*") if path.is_file()}
    assert {"app.py", "plant_alerts/stack.py", "tests/test_cloud.py", ".github/workflows/ci.yml"} <= set(files)
    for name, content in files.items():
        assert not [word for word in ("my_app", "my-app", "MyApp", "$version") if word in content], name
    assert "class PlantAlertsStack" in files["plant_alerts/stack.py"]
    assert "cdk-ml-lens[local,review]~=0." in files["requirements.txt"]


def test_it_is_linted_and_formatted(app: Path) -> None:
    for command in (
        ("ruff", "check", "--isolated", "--select", "E,F,I", "--line-length", "120", "."),
        ("ruff", "format", "--check", "."),
    ):
        done = run(app, sys.executable, "-m", *command)
        assert done.returncode == 0, done.stdout + done.stderr


def test_its_flags_are_those_of_this_library(app: Path) -> None:
    assert (
        json.loads((app / "cdk.json").read_text())["context"] == json.loads((ROOT / "cdk.json").read_text())["context"]
    )


def test_its_stack_passes_its_own_tests(app: Path) -> None:
    done = run(app, sys.executable, "-m", "pytest", "tests/test_stack.py")
    assert done.returncode == 0, done.stdout[-3000:]
    assert "3 passed" in done.stdout


def test_its_workflow_is_yaml_that_runs_make_test(app: Path) -> None:
    yaml = pytest.importorskip("yaml")
    workflow = yaml.safe_load((app / ".github" / "workflows" / "ci.yml").read_text())
    assert {"run": "make test"} in workflow["jobs"]["test"]["steps"]


@pytest.mark.parametrize("name", ["Plant", "plant_alerts", "1plant", "plant-", "plant alerts"])
def test_a_bad_name_writes_nothing(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["new", str(tmp_path / name)]) == 1
    assert "must be lower-case words joined by hyphens" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_folder_in_use_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    used = tmp_path / "plant"
    used.mkdir()
    (used / "mine.txt").write_text("mine")
    assert main(["new", str(used)]) == 1
    assert "must be new or empty" in " ".join(capsys.readouterr().err.split())
    assert [path.name for path in used.iterdir()] == ["mine.txt"]
