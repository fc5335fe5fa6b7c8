"""`python -m benchmarks.detectors [SERIES.csv]`: the detectors of model_src side by side, the network with PyTorch."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from cdk_ml_lens.local import series
from cdk_ml_lens.local.model_build import pack
from cdk_ml_lens.local.readings import write_csv
from cdk_ml_lens.local.simulator import FEATURES, training_set
from model_src.anomaly.artifact import Artifact, open_artifact

MODEL_SRC = Path(__file__).parents[1] / "model_src"
DETECTORS = {
    "isolation forest": ("anomaly/train.py",),
    "one-class SVM": ("anomaly/train.py", "--algorithm", "one-class-svm"),
    "autoencoder": ("autoencoder/train.py",),
}
SHARE = 0.2
"""Part of a real series that is learnt from."""


def main() -> None:
    """Print one line per detector for the simulated turbines, then for the series."""
    names = [name for name in DETECTORS if name != "autoencoder" or importlib.util.find_spec("torch") is not None]
    with tempfile.TemporaryDirectory(prefix="detectors-") as scratch:
        for name in names:
            print(name, "turbines", _turbines(Path(scratch) / name, name))
            if len(sys.argv) > 1:
                print(name, "series", _series(Path(scratch) / f"{name} series", name, Path(sys.argv[1])))


def _turbines(folder: Path, name: str) -> dict[str, float]:
    """Train on healthy turbines; one sensor of each test row is then moved by 2 standard deviations."""
    write_csv(folder / "in" / "p.csv", training_set(seed=900, rows=6000), features=FEATURES)
    write_csv(folder / "test" / "p.csv", training_set(seed=901, rows=6000), features=FEATURES)
    archive = _trained(folder, name, FEATURES, 0.999)
    places = [f"--test={folder / 'test'}", f"--model={archive.parent}", f"--output={folder / 'report'}"]
    settings = ["--root", str(folder), "--dataset-version", "benchmark", "--deviations", "2"]
    done = _run([str(MODEL_SRC / "anomaly" / "evaluate.py"), *settings, *places], dict(os.environ))
    metrics = dict(json.loads(done)["candidate"]["metrics"])
    return {**metrics, "artifact_kilobytes": archive.stat().st_size / 1000}


def _series(folder: Path, name: str, path: Path) -> dict[str, float]:
    """Train on the first part of a labelled series; return the share of alerts inside and outside its windows."""
    found = series.find_windows(path)
    windows = [] if found is None else series.load_windows(found)
    learned, streamed = series.split(series.featurise(series.load_series(path), device_id="d"), share=SHARE)
    names = tuple(learned[0].features)
    write_csv(folder / "in" / "p.csv", learned, features=names)
    model = _opened(_trained(folder, name, names, series.quantile_for(len(learned))))
    rows = [reading for reading in streamed if all(reading.features[key] is not None for key in names)]
    values = np.array([[reading.features[key] for key in names] for reading in rows], dtype=np.float64)
    alerts = model.score(values) > model.threshold
    moments = [datetime.fromisoformat(reading.timestamp).replace(tzinfo=UTC) for reading in rows]
    inside = np.array([any(window.covers(moment) for window in windows) for moment in moments])
    return {"inside": float(alerts[inside].mean()), "outside": float(alerts[~inside].mean())}


def _trained(folder: Path, name: str, features: Sequence[str], quantile: float) -> Path:
    program, *settings = DETECTORS[name]
    env = {
        **os.environ,
        "SAGEMAKER_BASE_DIR": str(folder),
        "SM_CHANNEL_TRAIN": str(folder / "in"),
        "SM_MODEL_DIR": str(folder / "model"),
        "SM_OUTPUT_DATA_DIR": str(folder / "out"),
    }
    _run([str(MODEL_SRC / program), "--features", ",".join(features), "--quantile", str(quantile), *settings], env)
    return pack(folder / "model", folder / "artifact" / "model.tar.gz")


def _opened(archive: Path) -> Artifact:
    return open_artifact(archive.parent, archive.parent / "unpacked", role="candidate")


def _run(arguments: Sequence[str], env: dict[str, str]) -> str:
    done = subprocess.run([sys.executable, *arguments], env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
    return done.stdout


if __name__ == "__main__":
    main()
