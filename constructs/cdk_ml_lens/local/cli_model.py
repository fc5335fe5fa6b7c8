"""The command ``model build``: an artifact for SageMaker, from a CSV file or from simulated readings."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

TRAINING_ROWS = 4000


def build(csv: Path | None, out: Path, *, features: Sequence[str] | None, quantile: float, seed: int) -> int:
    """Train and write ``out``; without ``csv``, on simulated readings of healthy turbines.

    Raises
    ------
    ValueError
        If the file is missing.
    """
    from cdk_ml_lens.local import model_build, readings, simulator

    columns = tuple(features) if features is not None else tuple(simulator.FEATURES)
    if csv is not None and not csv.exists():
        raise ValueError(f"--csv must be a file, got {csv}")
    with tempfile.TemporaryDirectory(prefix="ml-lens-") as scratch:
        if csv is None:
            rows = simulator.training_set(seed=seed, rows=TRAINING_ROWS)
            csv = readings.write_csv(Path(scratch) / "simulated.csv", rows, features=columns)
        made = model_build.build_artifact(csv, out, quantile=quantile, seed=seed, features=columns)
    console = Console()
    console.print(f"wrote {made}", soft_wrap=True)
    console.print(f"deploy it with: ml-lens deploy IotInference -c model_artifact={made}", soft_wrap=True)
    return 0
