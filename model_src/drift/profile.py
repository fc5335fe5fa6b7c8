"""Baseline: what a data set looked like, feature by feature, as the JSON that versions with the model."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from .columns import Column, Kind
from .dependence import Dependence, measure
from .distributions import Vector

SAMPLE_ROWS = 1000
"""Values kept of a feature, at evenly spaced ranks: its distribution function to within 0.0005."""
QUANTILES = tuple(share / 20 for share in range(21))


class BaselineError(ValueError):
    """The data set or the baseline holds nothing that traffic could be judged against."""


@dataclass(frozen=True, kw_only=True)
class Profile:
    """One feature of a baseline.

    Parameters
    ----------
    kind
        Numbers or categories.
    count
        Rows, missing and bad ones included.
    missing, bad
        Rows without a value, and with one that is not of the kind.
    min, max, mean, std
        Of the numbers; 0 for categories.
    quantiles
        Of the numbers, at 0, 5, … 100 %.
    sample
        Numbers at evenly spaced ranks, all of them when there are few.
    categories
        How often each occurs.
    dependence
        How much less consecutive rows say than independent ones.
    """

    kind: Kind
    count: int
    missing: int
    bad: int = 0
    min: float = 0.0
    max: float = 0.0
    mean: float = 0.0
    std: float = 0.0
    quantiles: tuple[float, ...] = ()
    sample: tuple[float, ...] = ()
    categories: Mapping[str, int] = field(default_factory=dict)
    dependence: Dependence = field(default_factory=Dependence)

    @property
    def effective(self) -> float:
        """Independent rows that the baseline's valid rows are worth."""
        valid = max(1, self.count - self.missing - self.bad)
        return self.dependence.effective(valid)


@dataclass(frozen=True, kw_only=True)
class Baseline:
    """What traffic is judged against.

    Parameters
    ----------
    version
        Of the baseline: the model's version, or the data set's when there is no model.
    made_from
        Version of the data set.
    features
        Profiles by name, in the order of the model's inputs.
    prediction
        Profile of the model's answers on rows it was not trained on, if a model was given and could be asked.
    without_answers
        Why a model that was given could not be asked.
    """

    version: str
    made_from: str
    features: Mapping[str, Profile]
    prediction: Profile | None = None
    without_answers: str | None = None

    def write(self, path: Path) -> None:
        """Write the document."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(asdict(self), allow_nan=False) + "\n", encoding="utf-8")


def profile_of(column: Column) -> Profile:
    """Describe one column, whose cells are in time order.

    Raises
    ------
    BaselineError
        When it holds no value.
    """
    common: dict[str, Any] = {"kind": column.kind, "count": column.rows, "missing": column.missing, "bad": column.bad}
    if column.kind == "category":
        if not column.categories:
            raise BaselineError("a feature must have a value somewhere, got none")
        order = {name: place for place, name in enumerate(sorted(column.counts, key=column.counts.__getitem__))}
        codes = np.array([order[name] for name in column.categories], dtype=np.float64)
        return Profile(**common, categories=dict(column.counts), dependence=measure(codes))
    if not len(column.values):
        raise BaselineError("a feature must have a value somewhere, got none")
    return Profile(**common, **_numbers(column.values), dependence=measure(column.values))


def _numbers(values: Vector) -> dict[str, Any]:
    return {
        "min": float(values.min()),
        "max": float(values.max()),
        "mean": float(values.mean()),
        "std": float(values.std()),
        "quantiles": tuple(np.quantile(values, QUANTILES).tolist()),
        "sample": tuple(thinned(values).tolist()),
    }


def thinned(values: Vector) -> Vector:
    """Return at most `SAMPLE_ROWS` of the values, at evenly spaced ranks."""
    ordered = np.sort(values)
    if len(ordered) <= SAMPLE_ROWS:
        return ordered
    places = ((np.arange(SAMPLE_ROWS) + 0.5) / SAMPLE_ROWS * len(ordered)).astype(int)
    return np.asarray(ordered[places], dtype=np.float64)


def read_baseline(path: Path) -> Baseline:
    """Read a document that `Baseline.write` made.

    Raises
    ------
    BaselineError
        When it is no baseline.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        features = {name: _profile(fields) for name, fields in document["features"].items()}
        prediction = document["prediction"]
        return Baseline(
            version=document["version"],
            made_from=document["made_from"],
            features=features,
            prediction=None if prediction is None else _profile(prediction),
            without_answers=document.get("without_answers"),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise BaselineError(f"{path.name} must be a baseline, got {type(error).__name__}: {error}") from error


def _profile(fields: Mapping[str, Any]) -> Profile:
    dependence = fields["dependence"]
    read = Dependence(rows=tuple(dependence["rows"]), factors=tuple(dependence["factors"]))
    numbers = {name: tuple(fields[name]) for name in ("quantiles", "sample")}
    return Profile(**{**fields, **numbers, "dependence": read})
