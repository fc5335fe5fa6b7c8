"""Run training scripts of model_src as SageMaker's containers do: arguments, SM_ variables and /opt/ml in a folder."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

MODEL_SRC = Path(__file__).parents[2] / "model_src"


def command_of(folder: Path, *arguments: str, program: str = "anomaly/train.py") -> dict[str, Any]:
    """Return the arguments of `subprocess.Popen` for a job with the channel ``folder/in``.

    ``folder/validation`` is its second channel if it is there.
    """
    env = {
        **os.environ,
        "SAGEMAKER_BASE_DIR": str(folder),
        "SM_CHANNEL_TRAIN": str(folder / "in"),
        "SM_MODEL_DIR": str(folder / "model"),
        "SM_OUTPUT_DATA_DIR": str(folder / "out"),
    }
    if (folder / "validation").is_dir():
        env["SM_CHANNEL_VALIDATION"] = str(folder / "validation")
    return {"args": [sys.executable, str(MODEL_SRC / program), *arguments], "env": env}


def run_training(folder: Path, *arguments: str, program: str = "anomaly/train.py") -> subprocess.CompletedProcess[str]:
    """Run a job to its end."""
    command = command_of(folder, *arguments, program=program)
    return subprocess.run(**command, capture_output=True, text=True, check=False)


def files_of(folder: Path) -> dict[str, bytes]:
    """Return the bytes of every file of a folder by its name."""
    return {path.name: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
