"""Evaluate a candidate beside the champion on the test split: the script of a SageMaker processing job."""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from model_src.anomaly.artifact import ARTIFACT, Artifact, ArtifactError, Matrix, open_artifact
    from model_src.anomaly.judging import UnchangingError, inject, metrics_of
    from model_src.anomaly.training_data import TrainingData, TrainingDataError, read
else:  # SageMaker runs this file as a script: its neighbours are top-level modules
    from artifact import ARTIFACT, Artifact, ArtifactError, Matrix, open_artifact
    from judging import UnchangingError, inject, metrics_of
    from training_data import TrainingData, TrainingDataError, read

REPORT = "evaluation.json"


class EvaluationError(ValueError):
    """The job was given too little, or things that contradict each other."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Write ``evaluation.json``; the exit code is 1, with the reason, when the models cannot be judged."""
    options = _parse(arguments)
    try:
        report = evaluate(options)
    except (EvaluationError, ArtifactError, TrainingDataError, UnchangingError) as error:
        print(f"error: {error}", file=sys.stderr)
        _leave_message(options.root, f"error: {error}")
        return 1
    options.output.mkdir(parents=True, exist_ok=True)
    text = json.dumps(report, indent=2, allow_nan=False) + "\n"
    (options.output / REPORT).write_text(text, encoding="utf-8")
    print(text, end="")
    return 0


def evaluate(options: argparse.Namespace) -> dict[str, Any]:
    """Score the same rows with both models and return the report.

    Raises
    ------
    EvaluationError
        No dataset version, or a champion without its ARN or the reverse: a comparison is never left out silently.
    ArtifactError
        A model that cannot be loaded here, or cannot score.
    TrainingDataError
        A test split that lacks a column of a model, or holds a cell that is no finite number.
    UnchangingError
        No column that both models see changes over the test rows.
    """
    arn = _champion_arn(options)
    with tempfile.TemporaryDirectory(prefix="evaluate-") as name:
        candidate = open_artifact(options.model, Path(name), role="candidate")
        champion = open_artifact(options.champion, Path(name), role="champion") if arn else None
        models = [candidate] if champion is None else [candidate, champion]
        data = _test_rows(options, models)
        shared = [name for name in candidate.features if all(name in model.features for model in models)]
        injected = inject(data.values, data.features, shared, deviations=options.deviations, seed=options.seed)
        judged = [_judged(model, data, injected.values) for model in models]
    return {
        "candidate": judged[0],
        "champion": {"model_package_arn": arn, **judged[1]} if len(judged) > 1 else None,
        "rows": len(data.values),
        "dataset_version": options.dataset_version,
        "injection": {"deviations": options.deviations, "seed": options.seed, "features": list(injected.features)},
    }


def _champion_arn(options: argparse.Namespace) -> str:
    arn, there = str(options.champion_arn), (options.champion / ARTIFACT).is_file()
    if not options.dataset_version:
        raise EvaluationError("the version of the dataset must be given: --dataset-version or DATASET_VERSION")
    if there != bool(arn):
        raise EvaluationError(
            "a champion must have both an artifact and the ARN of its model package"
            f" (--champion-arn or CHAMPION_MODEL_PACKAGE_ARN), got {f'the ARN {arn}' if arn else 'the artifact'} only"
        )
    return arn


def _test_rows(options: argparse.Namespace, models: Sequence[Artifact]) -> TrainingData:
    names = tuple(dict.fromkeys(name for model in models for name in model.features))
    data = read(options.test, names, split="test")
    kept = np.unique(np.linspace(0, len(data.values) - 1, min(options.rows, len(data.values))).astype(int))
    return TrainingData(features=names, values=data.values[kept], digest=data.digest)


def _judged(model: Artifact, data: TrainingData, injected: Matrix) -> dict[str, Any]:
    columns = [data.features.index(name) for name in model.features]
    metrics = metrics_of(model, data.values[:, columns], injected[:, columns])
    # JSON has no NaN; null is refused by the gate like a metric that is missing
    numbers = {name: value if math.isfinite(value) else None for name, value in metrics.items()}
    return {"model_version": model.model_version, "metrics": numbers}


def _leave_message(root: Path, text: str) -> None:
    """Tell the reason where DescribeProcessingJob shows it as ExitMessage (its first KB)."""
    # https://docs.aws.amazon.com/sagemaker/latest/dg/byoc-metadata.html
    folder = root / "output"
    if root.is_dir():
        folder.mkdir(exist_ok=True)
        (folder / "message").write_bytes(text.encode()[:1024].decode(errors="ignore").encode())


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    env = os.environ
    parser = argparse.ArgumentParser(description=__doc__)
    root = Path(env.get("SAGEMAKER_BASE_DIR", "/opt/ml"))  # the variable moves the folder outside SageMaker
    parser.add_argument("--root", type=Path, default=root, help="what the container has as /opt/ml")
    parser.add_argument("--test", type=Path, help="folder of the test split (default: ROOT/processing/input/test)")
    parser.add_argument("--model", type=Path, help="folder of the candidate's model.tar.gz (default: …/input/model)")
    parser.add_argument("--champion", type=Path, help="folder of the champion's (default: …/input/champion)")
    parser.add_argument("--output", type=Path, help="folder of evaluation.json (default: ROOT/processing/output)")
    parser.add_argument("--dataset-version", default=env.get("DATASET_VERSION", ""))
    parser.add_argument("--champion-arn", default=env.get("CHAMPION_MODEL_PACKAGE_ARN", ""))
    parser.add_argument("--deviations", type=float, default=3.0, help="size of an injected fault (default: 3)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--rows", type=int, default=20_000, help="at most so many test rows, evenly spaced")
    options = parser.parse_args(arguments)
    processing = options.root / "processing"
    places = {"test": "input/test", "model": "input/model", "champion": "input/champion", "output": "output"}
    for name, place in places.items():
        if getattr(options, name) is None:
            setattr(options, name, processing / place)
    return options


if __name__ == "__main__":
    sys.exit(main())
