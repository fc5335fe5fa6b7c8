"""`ml-lens model build`: an artifact from simulated readings, or from the columns of a file that were asked for."""

from __future__ import annotations

import json
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest

from cdk_ml_lens.local import venvs
from cdk_ml_lens.local.cli import main
from cdk_ml_lens.local.simulator import FEATURES


@pytest.fixture(autouse=True)
def this_interpreter(monkeypatch: pytest.MonkeyPatch) -> None:
    """Train with the packages of the tests: they are the pinned environment's."""
    monkeypatch.setattr(venvs, "ensure", lambda _name: Path(sys.executable))
    monkeypatch.setenv("COLUMNS", "200")


def metadata(artifact: Path) -> dict[str, Any]:
    with tarfile.open(artifact) as archive:
        member = archive.extractfile("metadata.json")
        assert member is not None
        found: dict[str, Any] = json.loads(member.read())
    return found


def test_without_a_file_it_learns_from_simulated_turbines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "simulated.tar.gz"
    assert main(["model", "build", "--simulate", "--out", str(out)]) == 0
    assert metadata(out)["features"] == list(FEATURES)
    assert f"ml-lens deploy IotInference -c model_artifact={out}" in capsys.readouterr().out


def test_columns_of_a_file_are_chosen_by_name(training_csv: Path, tmp_path: Path) -> None:
    out, chosen = tmp_path / "two.tar.gz", list(FEATURES)[:2]
    command = ["model", "build", "--csv", str(training_csv), "--out", str(out), "--features", ",".join(chosen)]
    assert main(command) == 0
    assert metadata(out)["features"] == chosen
