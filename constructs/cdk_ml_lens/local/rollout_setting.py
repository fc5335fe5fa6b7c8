"""What the rollout demos (and the lake's) share: two versions of a model, a synthesized stack, a running cloud."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol

from rich.console import RenderableType

from cdk_ml_lens.local import simulator, venvs
from cdk_ml_lens.local.app_synth import synthesize
from cdk_ml_lens.local.demo_view import View
from cdk_ml_lens.local.model_build import build_artifact
from cdk_ml_lens.local.readings import write_csv

FEATURES = ("temperature", "vibration", "pressure", "rotation_speed")
TRAINING_ROWS = 2000
FAULTY = {"ML_LENS_FAULT_ERROR_RATE": "0.5", "ML_LENS_FAULT_WRONG_RATE": "0.5"}
"""The bad version: half of its requests fail, half of its answers are wrong; `model_faults` obeys these variables."""


@dataclass(frozen=True, kw_only=True)
class Models:
    """Artifacts of two versions of the model, made from different data."""

    old: Path
    new: Path


def train(work: Path, view: View) -> Models:
    """Train both versions on simulated turbines of different seeds."""
    python = venvs.ensure("model", progress=view.step)

    def one(name: str, seed: int) -> Path:
        rows = simulator.training_set(seed=seed, rows=TRAINING_ROWS)
        training = write_csv(work / f"{name}.csv", rows, features=FEATURES)
        artifact = work / name / "model.tar.gz"
        return build_artifact(training, artifact, quantile=0.999, seed=0, features=FEATURES, python=python)

    models = Models(old=one("old", 1), new=one("new", 2))
    view.step(f"two versions trained on {TRAINING_ROWS} simulated rows each")
    return models


def assembly(app_dir: Path, out: Path, stack: str, **context: str | Path | Mapping[str, str]) -> Path:
    """Synthesize one stack of the app."""
    given = {key: json.dumps(item) if isinstance(item, Mapping) else str(item) for key, item in context.items()}
    return synthesize(app_dir=app_dir, out=out, context={"stacks": stack, "nag": "false", **given})


class Judged(Protocol):
    """A demo's outcome: a dataclass with the promises that were broken."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def faults(self) -> list[str]:
        """Promises that were broken."""
        ...


def report(outcome: Judged, figures: RenderableType, view: View, *, as_json: bool) -> int:
    """Show an outcome as a table or one JSON object, and return the exit code."""
    if as_json:
        print(json.dumps(asdict(outcome)), flush=True)
    else:
        view.console.print(figures)
    for fault in outcome.faults:
        view.fail(fault)
    return 1 if outcome.faults else 0
