"""A stranger's machine: the wheel in a new environment synthesizes a small app with the handler inside."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel with the build backend that is installed."""
    target = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(target)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (found,) = target.glob("*.whl")
    return found


def test_wheel_holds_types_runtime_and_model_code(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {
        "cdk_ml_lens/py.typed",
        "cdk_ml_lens/_bundled/lambda_src/handlers/score_readings.py",
        "cdk_ml_lens/_bundled/lambda_src/ml_lens_runtime/env.py",
        "cdk_ml_lens/_bundled/model_src/anomaly/train.py",
        "cdk_ml_lens/_bundled/model_src/anomaly/inference.py",
        "cdk_ml_lens/_bundled/etl_src/jobs/run_step.py",
        "cdk_ml_lens/_bundled/etl_src/ml_lens_features/windows.py",
        "cdk_ml_lens/local/pins/cloud.txt",
        "cdk_ml_lens/local/pins/model.txt",
    } <= names
    assert not [name for name in names if "__pycache__" in name or name.startswith(("tests/", "stacks/"))]


def test_readme_app_runs_from_the_wheel_in_a_new_environment(wheel: Path, tmp_path: Path) -> None:
    import uv

    venv = tmp_path / "venv"
    subprocess.run([uv.find_uv_bin(), "venv", "-q", "--python", sys.executable, str(venv)], check=True)
    python = venv / "bin" / "python"
    subprocess.run([uv.find_uv_bin(), "pip", "install", "-q", "--python", str(python), str(wheel)], check=True)
    (tmp_path / "model.tar.gz").write_bytes(b"any model")
    app = tmp_path / "app.py"
    app.write_text(readme_app())
    assert len([line for line in readme_app().splitlines() if line.strip()]) <= 15
    out = tmp_path / "cdk.out"
    environment = {**os.environ, "CDK_OUTDIR": str(out), "CDK_VALIDATION": "false"}
    subprocess.run([python, str(app)], cwd=tmp_path, env=environment, check=True)
    template = json.loads(next(out.glob("*.template.json")).read_text())
    assert "AWS::SageMaker::Endpoint" in {resource["Type"] for resource in template["Resources"].values()}
    assert list(out.glob("asset.*/handlers/score_readings.py"))


def readme_app() -> str:
    """Return the first Python block of the README: the example that promises to work when pasted."""
    return (ROOT / "README.md").read_text(encoding="utf-8").split("```python\n")[1].split("```")[0]
