"""Train the anomaly model: script-mode entry point for SageMaker's scikit-learn container."""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import shutil
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import joblib
import numpy as np
import sklearn
from sklearn.pipeline import Pipeline

if TYPE_CHECKING:
    from model_src.anomaly.checkpoints import Checkpoints, default_folder
    from model_src.anomaly.crossfit import cross_fit
    from model_src.anomaly.detector import MAX_SAMPLES, SVM, Hyperparameters, Matrix, fit, scores, threshold_of
    from model_src.anomaly.judging import UnchangingError, validation_metrics
    from model_src.anomaly.training_data import TrainingData, TrainingDataError, load, read
else:  # SageMaker runs this file as a script: its neighbours are top-level modules
    from checkpoints import Checkpoints, default_folder
    from crossfit import cross_fit
    from detector import MAX_SAMPLES, SVM, Hyperparameters, Matrix, fit, scores, threshold_of
    from judging import UnchangingError, validation_metrics
    from training_data import TrainingData, TrainingDataError, load, read

CODE = Path(__file__).resolve().parent
SERVED = ("inference.py",)
"""Files of this folder that the endpoint needs; they travel inside the artifact."""

MADE_BY = ("crossfit.py", "detector.py", "inference.py", "train.py", "training_data.py")
"""Files that decide what the model is and answers. The rest of this folder judges models and makes none."""

MINIMUM_ROWS = 50

LEAST_SIMILARITY = 1e-9
"""Similarity to normal rows below which the one-class SVM tells nothing apart."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Train, write the artifact, print the metrics; the exit code is 1, with the reason, for useless data."""
    options = _parse(arguments)
    names = Hyperparameters.__dataclass_fields__
    settings = Hyperparameters(**{name: value for name, value in vars(options).items() if name in names})
    try:
        data = load(options.train, options.features)
        _refuse_few_rows(data, settings)
        validation = None if options.validation is None else read(options.validation, data.features, split="validation")
        held_out = _held_out(data, settings, options.checkpoint_dir)
        threshold = threshold_of(held_out, settings.quantile)
        _refuse_saturation(threshold, settings)
        detector = fit(data.values, settings)
        score = partial(scores, detector)
        judged = {} if validation is None else validation_metrics(score, threshold, validation.values, data.features)
    except (TrainingDataError, UnchangingError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    write_artifact(options.model_dir, detector, data, settings, threshold)
    _report(options.output_data_dir, {**_metrics(data, held_out, score(data.values), threshold), **judged})
    return 0


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    defaults, env = Hyperparameters(), os.environ
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--algorithm", choices=sorted(MAX_SAMPLES), default=defaults.algorithm)
    parser.add_argument("--features", type=_names, help="columns to learn from, a,b,c (default: every numeric column)")
    parser.add_argument("--quantile", type=_quantile, default=defaults.quantile)
    parser.add_argument("--seed", type=int, default=defaults.seed)
    parser.add_argument("--trees", type=int, default=defaults.trees)
    parser.add_argument("--max-samples", type=int, default=defaults.max_samples)
    parser.add_argument("--nu", type=_quantile, default=defaults.nu)
    parser.add_argument("--folds", type=int, default=defaults.folds)
    parser.add_argument("--checkpoint-dir", type=Path, default=default_folder())
    parser.add_argument("--train", type=Path, default=env.get("SM_CHANNEL_TRAIN", "/opt/ml/input/data/train"))
    parser.add_argument("--validation", type=Path, default=env.get("SM_CHANNEL_VALIDATION"), help="optional split")
    parser.add_argument("--model-dir", type=Path, default=env.get("SM_MODEL_DIR", "/opt/ml/model"))
    parser.add_argument("--output-data-dir", type=Path, default=env.get("SM_OUTPUT_DATA_DIR", "/opt/ml/output/data"))
    return parser.parse_args(arguments)


def _names(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names or len(set(names)) < len(names):
        raise argparse.ArgumentTypeError(f"must be distinct column names separated by commas, got {text!r}")
    return names


def _quantile(text: str) -> float:
    value = float(text)
    if not 0 < value < 1:
        raise argparse.ArgumentTypeError(f"must lie between 0 and 1, both excluded, got {text}")
    return value


def _refuse_few_rows(data: TrainingData, settings: Hyperparameters) -> None:
    rows = len(data.values)
    if rows < max(MINIMUM_ROWS, settings.folds):
        raise TrainingDataError(f"the training files must hold at least {MINIMUM_ROWS} rows, got {rows}")
    if rows * (1 - settings.quantile) < 1:
        print(
            f"warning: {rows} rows are too few for the quantile {settings.quantile}:"
            " the threshold is about the largest score seen",
            file=sys.stderr,
        )


def _refuse_saturation(threshold: float, settings: Hyperparameters) -> None:
    """Refuse a threshold that no row can exceed: the similarity of a far row to the SVM's rows is 0, never less."""
    if settings.algorithm == SVM and not threshold < -LEAST_SIMILARITY:
        raise TrainingDataError(
            f"at least {settings.quantile:.4%} of the rows must be like the others, got a threshold of {threshold:g},"
            " which nothing exceeds: remove the outliers, or ask for a lower quantile"
        )


def _held_out(data: TrainingData, settings: Hyperparameters, folder: Path) -> list[Matrix]:
    run = f"{version_of(data, settings)}-py{platform.python_version()}-sk{sklearn.__version__}-np{np.__version__}"
    return cross_fit(data.values, settings, Checkpoints(folder=folder, run=run))


def version_of(data: TrainingData, settings: Hyperparameters) -> str:
    """Return the model version: the same data, hyperparameters and code give the same version, on any day."""
    digest = hashlib.sha256(data.digest.encode())
    digest.update(json.dumps({"features": data.features, **settings.described()}, sort_keys=True).encode())
    for name in MADE_BY:
        digest.update(name.encode() + hashlib.sha256((CODE / name).read_bytes()).digest())
    return f"anomaly-{digest.hexdigest()[:12]}"


def write_artifact(
    model_dir: Path, detector: Pipeline, data: TrainingData, settings: Hyperparameters, threshold: float
) -> None:
    """Write ``model.joblib``, ``metadata.json`` and the code that serves them."""
    (model_dir / "code").mkdir(parents=True, exist_ok=True)
    joblib.dump(detector, model_dir / "model.joblib")
    metadata = {
        "model_version": version_of(data, settings),
        "features": list(data.features),
        "threshold": threshold,
        **settings.described(),
        "rows": len(data.values),
        "data_sha256": data.digest,
        "python": platform.python_version(),
        "scikit_learn": sklearn.__version__,
        "numpy": np.__version__,
    }
    (model_dir / "metadata.json").write_text(json.dumps(metadata, indent=2) + "\n", encoding="utf-8")
    for name in SERVED:
        shutil.copyfile(CODE / name, model_dir / "code" / name)


def _metrics(data: TrainingData, held_out: list[Matrix], trained: Matrix, threshold: float) -> dict[str, float]:
    return {
        "rows": len(data.values),
        "threshold": threshold,
        "median_score": float(np.median(np.concatenate(held_out))),
        "training_alert_rate": float(np.mean(trained > threshold)),
        "worst_fold_alert_rate": max(float(np.mean(block > threshold)) for block in held_out),
    }


def _report(folder: Path, metrics: dict[str, float]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "metrics.json").write_text(json.dumps(metrics, indent=2) + "\n", encoding="utf-8")
    for name, value in metrics.items():
        print(f"metric {name}={value:.6f}")  # SageMaker metric definition: 'metric threshold=([-0-9.]+)'


if __name__ == "__main__":
    sys.exit(main())
