"""Build ``model.tar.gz`` on a laptop: run ``train.py`` as SageMaker would and pack the result."""

from __future__ import annotations

import gzip
import io
import os
import subprocess
import tarfile
import tempfile
from collections.abc import Sequence
from pathlib import Path

PROGRAM = "anomaly/train.py"


class TrainingError(RuntimeError):
    """The training script refused its data or failed; the message is what it printed."""


def build_artifact(
    training_csv: Path,
    out: Path,
    *,
    quantile: float,
    seed: int,
    features: Sequence[str],
    python: Path | None = None,
) -> Path:
    """Train the anomaly model and pack it.

    Parameters
    ----------
    training_csv
        CSV file with a header: normal behaviour only.
    out
        Path of the archive to write, by custom ``model.tar.gz``.
    quantile
        Share of normal readings below the threshold, between 0 and 1.
    seed
        Seed of the forest.
    features
        Columns to learn from, in the order in which the scorer sends them.
    python
        Interpreter to train with, default that of the environment with the container's library versions.

    Raises
    ------
    TrainingError
        With the reason that ``train.py`` gave.
    """
    # SageMaker's contract for script mode: sagemaker-training-toolkit, ENVIRONMENT_VARIABLES.md
    with tempfile.TemporaryDirectory(prefix="ml-lens-train-") as name:
        work = Path(name)
        channel, model_dir = work / "input" / "data" / "train", work / "model"
        channel.mkdir(parents=True)
        (channel / "train.csv").write_bytes(training_csv.read_bytes())
        env = {
            **os.environ,
            "SM_CHANNEL_TRAIN": str(channel),
            "SM_MODEL_DIR": str(model_dir),
            "SM_OUTPUT_DATA_DIR": str(work / "output"),
        }
        settings = ["--features", ",".join(features), "--quantile", str(quantile), "--seed", str(seed)]
        _run([str(_interpreter(python)), str(_model_src() / PROGRAM), *settings], env)
        return pack(model_dir, out)


def pack(folder: Path, out: Path) -> Path:
    """Write a folder as ``.tar.gz`` whose bytes follow from names and contents: no clock, no owner."""
    out.parent.mkdir(parents=True, exist_ok=True)
    with (
        out.open("wb") as raw,
        gzip.GzipFile(filename="", fileobj=raw, mode="wb", mtime=0) as zipped,
        tarfile.open(fileobj=zipped, mode="w", format=tarfile.USTAR_FORMAT) as archive,
    ):
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            content = path.read_bytes()
            entry = tarfile.TarInfo(path.relative_to(folder).as_posix())
            entry.size, entry.mode = len(content), 0o644
            archive.addfile(entry, io.BytesIO(content))
    return out


def _run(command: Sequence[str], env: dict[str, str]) -> None:
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise TrainingError(f"train.py ended with {done.returncode}: {done.stderr.strip()[-2000:]}")


def _interpreter(python: Path | None) -> Path:
    if python is not None:
        return python
    from cdk_ml_lens.local import venvs

    return venvs.ensure("model")


def _model_src() -> Path:
    from cdk_ml_lens.core.assets import bundled

    return Path(bundled("model_src"))
