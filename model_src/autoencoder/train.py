"""Train the autoencoder: script-mode entry point for SageMaker's PyTorch container."""

# mypy: disable-error-code="import-not-found"

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import shutil
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

try:
    import torch
except ImportError as missing:
    sys.exit(f"error: the autoencoder needs PyTorch, as SageMaker's PyTorch image has it: {missing}")

if TYPE_CHECKING:
    from model_src.autoencoder.checkpoints import Checkpoints, default_folder
    from model_src.autoencoder.fitting import Hyperparameters, fit, to_bytes
    from model_src.autoencoder.judging import UnchangingError, validation_metrics
    from model_src.autoencoder.network import Autoencoder, Matrix
    from model_src.autoencoder.training_data import TrainingData, TrainingDataError, load, read
else:  # SageMaker runs this file as a script: its neighbours are top-level modules
    from checkpoints import Checkpoints, default_folder
    from fitting import Hyperparameters, fit, to_bytes
    from judging import UnchangingError, validation_metrics
    from network import Autoencoder, Matrix
    from training_data import TrainingData, TrainingDataError, load, read

CODE = Path(__file__).resolve().parent
SERVED = ("inference.py", "network.py", "wire.py")
"""Files of this folder that the endpoint needs; they travel inside the artifact."""

MADE_BY = ("fitting.py", "train.py", "training_data.py", *SERVED)
"""Files that decide what the model is and answers."""

MINIMUM_ROWS = 50


def main(arguments: Sequence[str] | None = None) -> int:
    """Train, write the artifact, print the metrics; the exit code is 1, with the reason, for useless data."""
    options = _parse(arguments)
    names = Hyperparameters.__dataclass_fields__
    settings = Hyperparameters(**{name: value for name, value in vars(options).items() if name in names})
    torch.set_num_threads(1)  # sums in one order: the same bytes on any machine of one kind
    try:
        data = _training_rows(options)
        validation = None if options.validation is None else read(options.validation, data.features, split="validation")
        watched = None if validation is None else validation.values
        model, held_out = _trained(data, settings, options.checkpoint_dir, watched)
        threshold = float(np.quantile(np.concatenate(held_out), settings.quantile))
        judged = (
            {} if validation is None else validation_metrics(model.scores, threshold, validation.values, data.features)
        )
    except (TrainingDataError, UnchangingError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    write_artifact(options.model_dir, model, data, settings, threshold)
    _report(options.output_data_dir, {**_metrics(held_out, model.scores(data.values), threshold), **judged})
    return 0


def _training_rows(options: argparse.Namespace) -> TrainingData:
    data = load(options.train, options.features)
    if len(data.values) < MINIMUM_ROWS:
        raise TrainingDataError(f"the training files must hold at least {MINIMUM_ROWS} rows, got {len(data.values)}")
    return data


def _trained(
    data: TrainingData, settings: Hyperparameters, folder: Path, validation: Matrix | None
) -> tuple[Autoencoder, list[Matrix]]:
    """Return the fitted network, and the scores of each block by a network that has not seen it."""
    checkpoints = Checkpoints(folder=folder, run=f"{version_of(data, settings)}-torch{torch.__version__}")
    model = fit(data.values, settings, checkpoints, part="all", validation=validation)
    return model, [_held_out_block(data.values, settings, checkpoints, fold) for fold in range(settings.folds)]


def _held_out_block(values: Matrix, settings: Hyperparameters, checkpoints: Checkpoints, fold: int) -> Matrix:
    """Score one block of neighbouring rows with a network that was fitted on all others."""
    block = np.array_split(np.arange(len(values)), settings.folds)[fold]
    return fit(np.delete(values, block, axis=0), settings, checkpoints, part=f"fold-{fold}").scores(values[block])


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    defaults, env = Hyperparameters(), os.environ
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--features", type=_names, help="columns to learn from, a,b,c (default: every numeric column)")
    parser.add_argument("--quantile", type=_share, default=defaults.quantile)
    parser.add_argument("--seed", type=int, default=defaults.seed)
    for name in ("folds", "epochs", "batch_size", "hidden"):
        parser.add_argument(f"--{name.replace('_', '-')}", type=_positive, default=getattr(defaults, name))
    parser.add_argument("--bottleneck", type=int, default=defaults.bottleneck, help="0: half the features")
    parser.add_argument("--learning-rate", type=_share, default=defaults.learning_rate)
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


def _share(text: str) -> float:
    value = float(text)
    if not 0 < value < 1:
        raise argparse.ArgumentTypeError(f"must lie between 0 and 1, both excluded, got {text}")
    return value


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, got {text}")
    return value


def version_of(data: TrainingData, settings: Hyperparameters) -> str:
    """Return the model version: the same data, hyperparameters and code give the same version, on any day."""
    digest = hashlib.sha256(data.digest.encode())
    digest.update(json.dumps({"features": data.features, **asdict(settings)}, sort_keys=True).encode())
    for name in MADE_BY:
        digest.update(name.encode() + hashlib.sha256((CODE / name).read_bytes()).digest())
    return f"autoencoder-{digest.hexdigest()[:12]}"


def write_artifact(
    model_dir: Path, model: Autoencoder, data: TrainingData, settings: Hyperparameters, threshold: float
) -> None:
    """Write ``model.pt``, ``metadata.json`` and the code that serves them."""
    (model_dir / "code").mkdir(parents=True, exist_ok=True)
    (model_dir / "model.pt").write_bytes(to_bytes(model.state()))
    metadata = {
        "model_version": version_of(data, settings),
        "algorithm": "autoencoder",
        "features": list(data.features),
        "threshold": threshold,
        "shape": asdict(settings.shape(len(data.features))),
        **asdict(settings),
        "rows": len(data.values),
        "data_sha256": data.digest,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": np.__version__,
    }
    (model_dir / "metadata.json").write_text(json.dumps(metadata, indent=2) + "\n", encoding="utf-8")
    for name in SERVED:
        shutil.copyfile(CODE / name, model_dir / "code" / name)


def _metrics(held_out: list[Matrix], trained: Matrix, threshold: float) -> dict[str, float]:
    return {
        "rows": len(trained),
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
