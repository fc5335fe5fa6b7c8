"""The anomaly detector: an Isolation Forest on decorrelated features, and the threshold that goes with it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.decomposition import PCA
from sklearn.ensemble import IsolationForest
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

Matrix = npt.NDArray[np.float64]

FAR_AWAY = 1e3
"""Standard deviations beyond which all values count the same: absurd finite readings cannot overflow."""


@dataclass(frozen=True, kw_only=True)
class Hyperparameters:
    """Settings of the detector.

    Parameters
    ----------
    quantile
        Share of normal readings that stay below the threshold, between 0 and 1.
    seed
        Seed of the forest.
    trees
        Number of trees.
    max_samples
        Rows that each tree sees; all rows when there are fewer.
    folds
        Blocks of the cross-fitting that finds the threshold.
    """

    quantile: float = 0.999
    seed: int = 0
    trees: int = 100
    max_samples: int = 1024
    folds: int = 5


def fit(values: Matrix, settings: Hyperparameters) -> Pipeline:
    """Fit the detector.

    The trees of an Isolation Forest cut along one axis at a time: on the raw features they see a value
    out of range, but not a pressure that is wrong *for this speed*. Principal components, each scaled to
    unit variance, turn a broken relation between sensors into a large value on one axis.
    """
    return Pipeline(
        [
            ("scale", StandardScaler()),
            ("limit", FunctionTransformer(np.clip, kw_args={"a_min": -FAR_AWAY, "a_max": FAR_AWAY})),
            ("decorrelate", PCA(whiten=True, svd_solver="full")),
            (
                "forest",
                IsolationForest(
                    n_estimators=settings.trees,
                    max_samples=min(settings.max_samples, len(values)),
                    random_state=settings.seed,
                    n_jobs=1,
                ),
            ),
        ]
    ).fit(values)


def scores(detector: Pipeline, values: Matrix) -> Matrix:
    """Return one score per row, between 0 and 1; higher is more abnormal."""
    return np.asarray(-detector.score_samples(values), dtype=np.float64)


def held_out_scores(values: Matrix, settings: Hyperparameters) -> list[Matrix]:
    """Score each block of rows with a detector that was fitted on all other blocks.

    A detector knows its own training rows, so their scores are too low and a threshold taken from them
    raises false alarms. Blocks of neighbouring rows instead of random ones: rows that follow each other in
    time are alike, and a random split would leak them. All rows serve both for learning and for the
    threshold, where one held-out tail would be too short for a high quantile.
    """
    blocks = np.array_split(np.arange(len(values)), settings.folds)
    return [scores(fit(np.delete(values, block, axis=0), settings), values[block]) for block in blocks]


def threshold_of(held_out: list[Matrix], quantile: float) -> float:
    """Return the quantile of all held-out scores; readings that score above it are anomalies."""
    return float(np.quantile(np.concatenate(held_out), quantile))
