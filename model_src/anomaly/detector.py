"""The anomaly detector: Isolation Forest or one-class SVM on decorrelated features, and the threshold with it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.decomposition import PCA
from sklearn.ensemble import IsolationForest
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import OneClassSVM

Matrix = npt.NDArray[np.float64]

FAR_AWAY = 1e3
"""Standard deviations beyond which all values count the same: absurd finite readings cannot overflow."""


FOREST, SVM = "isolation-forest", "one-class-svm"

MAX_SAMPLES = {FOREST: 1024, SVM: 4096}
"""Rows that a tree, or the SVM, learns from when nothing else is asked; an SVM's time grows with their square."""

NOT_OF = {FOREST: ("nu",), SVM: ("trees",)}
"""Settings that an algorithm does not have."""


@dataclass(frozen=True, kw_only=True)
class Hyperparameters:
    """Settings of the detector.

    Parameters
    ----------
    algorithm
        ``isolation-forest`` or ``one-class-svm``.
    quantile
        Share of normal readings that stay below the threshold, between 0 and 1.
    seed
        Seed of the forest, or of the choice of rows for the SVM.
    trees
        Number of trees of the forest.
    max_samples
        Rows that each tree, or the SVM, sees; all rows when there are fewer. Default: `MAX_SAMPLES`.
    nu
        Share of the rows that the SVM leaves outside its boundary, between 0 and 1. The score is a similarity to those
        rows and no others, so with a small share only the rim of the data carries it, and the middle of the data
        scores as abnormal as what lies outside. The threshold does not depend on it.
    folds
        Blocks of the cross-fitting that finds the threshold.
    """

    algorithm: str = FOREST
    quantile: float = 0.999
    seed: int = 0
    trees: int = 100
    max_samples: int | None = None
    nu: float = 0.5
    folds: int = 5

    @property
    def rows_seen(self) -> int:
        """Rows that each tree, or the SVM, sees at most."""
        return MAX_SAMPLES[self.algorithm] if self.max_samples is None else self.max_samples

    def described(self) -> dict[str, Any]:
        """Return the settings that the algorithm has, with their defaults filled in."""
        settings = {**asdict(self), "max_samples": self.rows_seen}
        return {name: value for name, value in settings.items() if name not in NOT_OF[self.algorithm]}


def fit(values: Matrix, settings: Hyperparameters) -> Pipeline:
    """Fit the detector.

    The trees of an Isolation Forest cut along one axis at a time: on the raw features they see a value
    out of range, but not a pressure that is wrong *for this speed*. Principal components, each scaled to
    unit variance, turn a broken relation between sensors into a large value on one axis. They give the SVM,
    whose kernel knows distances only, the same scale in every direction.
    """
    prepare = Pipeline(
        [
            ("scale", StandardScaler()),
            ("limit", FunctionTransformer(np.clip, kw_args={"a_min": -FAR_AWAY, "a_max": FAR_AWAY})),
            ("decorrelate", PCA(whiten=True, svd_solver="full")),
        ]
    ).fit(values)
    return Pipeline([*prepare.steps, _fit_last(prepare.transform(values), settings)])


def _fit_last(prepared: Matrix, settings: Hyperparameters) -> tuple[str, Any]:
    seen = min(settings.rows_seen, len(prepared))
    if settings.algorithm == SVM:
        rows = np.sort(np.random.default_rng(settings.seed).permutation(len(prepared))[:seen])
        return "svm", OneClassSVM(kernel="rbf", gamma="scale", nu=settings.nu).fit(prepared[rows])
    forest = IsolationForest(n_estimators=settings.trees, max_samples=seen, random_state=settings.seed, n_jobs=1)
    return "forest", forest.fit(prepared)


def scores(detector: Pipeline, values: Matrix) -> Matrix:
    """Return one score per row; higher is more abnormal.

    That of the forest lies between 0 and 1. That of the SVM is minus the similarity to what it learnt from: at most
    0, which it reaches for every row that is far from all of them.
    """
    return np.asarray(-detector.score_samples(values), dtype=np.float64)


def held_out_scores(values: Matrix, settings: Hyperparameters, fold: int) -> Matrix:
    """Score one block of rows with a detector that was fitted on all other blocks.

    A detector knows its own training rows, so their scores are too low and a threshold taken from them
    raises false alarms. Blocks of neighbouring rows instead of random ones: rows that follow each other in
    time are alike, and a random split would leak them. All rows serve both for learning and for the
    threshold, where one held-out tail would be too short for a high quantile.
    """
    block = np.array_split(np.arange(len(values)), settings.folds)[fold]
    return scores(fit(np.delete(values, block, axis=0), settings), values[block])


def threshold_of(held_out: list[Matrix], quantile: float) -> float:
    """Return the quantile of all held-out scores; readings that score above it are anomalies."""
    return float(np.quantile(np.concatenate(held_out), quantile))
