"""ParameterRange and WarmStart: what a tuning searches, and what it knows before."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from cdk_ml_lens.core.errors import Faults

Kind = Literal["Integer", "Continuous", "Categorical"]
Scaling = Literal["Auto", "Linear", "Logarithmic", "ReverseLogarithmic"]


@dataclass(frozen=True, kw_only=True)
class ParameterRange:
    """Values of one hyperparameter. Make one with `integer`, `continuous` or `categorical`.

    Parameters
    ----------
    kind : {"Integer", "Continuous", "Categorical"}
        What kind of values.
    name : str
        Hyperparameter.
    values : tuple of str
        Low and high, or the categories.
    scaling : {"Auto", "Linear", "Logarithmic", "ReverseLogarithmic"}
        How numbers are spread. Default: ``Auto``.

    Raises
    ------
    PropError
        When the range is empty, or the scaling does not go with it.

    Notes
    -----
    Source: https://docs.aws.amazon.com/sagemaker/latest/dg/automatic-model-tuning-define-ranges.html
    """

    kind: Kind
    name: str
    values: tuple[str, ...]
    scaling: Scaling = "Auto"

    def __post_init__(self) -> None:
        faults = Faults(f"hyperparameter {self.name!r}")
        faults.unless(bool(self.name), "name", "not be empty", self.name)
        if self.kind == "Categorical":
            distinct = len(set(self.values)) == len(self.values)
            faults.unless(distinct and 1 <= len(self.values) <= 30, "values", "be 1 to 30 different ones", self.values)
        else:
            low, high = _bounds(self.values)
            # https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ContinuousParameterRange.html
            faults.unless(low < high, "low", "be below high", self.values, "both are numbers")
            logarithmic = self.scaling == "Logarithmic"
            faults.unless(not logarithmic or low > 0, "low", "be above 0 for a logarithmic scale", low)
        faults.raise_any()

    @staticmethod
    def integer(name: str, low: int, high: int, *, scaling: Scaling = "Auto") -> ParameterRange:
        """Search whole numbers from ``low`` to ``high``, both included."""
        return ParameterRange(kind="Integer", name=name, values=(str(low), str(high)), scaling=scaling)

    @staticmethod
    def continuous(name: str, low: float, high: float, *, scaling: Scaling = "Auto") -> ParameterRange:
        """Search numbers from ``low`` to ``high``."""
        return ParameterRange(kind="Continuous", name=name, values=(f"{low:g}", f"{high:g}"), scaling=scaling)

    @staticmethod
    def categorical(name: str, values: Sequence[str]) -> ParameterRange:
        """Search a few values."""
        return ParameterRange(kind="Categorical", name=name, values=tuple(values))

    def render(self) -> dict[str, Any]:
        """Return the range as CreateHyperParameterTuningJob takes it."""
        if self.kind == "Categorical":
            return {"Name": self.name, "Values": list(self.values)}
        low, high = self.values
        return {"Name": self.name, "MinValue": low, "MaxValue": high, "ScalingType": self.scaling}


@dataclass(frozen=True, kw_only=True)
class WarmStart:
    """Searches that a new one learns from.

    Parameters
    ----------
    parents : sequence of str
        Names of earlier tuning jobs, 1 to 5.
    same_data : bool
        Whether data and algorithm are the same; otherwise knowledge is transferred. Default: false, as every run has
        a newer dataset.

    Raises
    ------
    PropError
        When there are none or too many parents.

    Notes
    -----
    Source: https://docs.aws.amazon.com/sagemaker/latest/dg/automatic-model-tuning-warm-start.html
    """

    parents: Sequence[str]
    same_data: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "parents", tuple(self.parents))
        faults = Faults("warm start")
        faults.within("parents", len(self.parents), 1, 5)
        faults.raise_any()

    def render(self) -> dict[str, Any]:
        """Return it as CreateHyperParameterTuningJob takes it."""
        return {
            "WarmStartType": "IdenticalDataAndAlgorithm" if self.same_data else "TransferLearning",
            "ParentHyperParameterTuningJobs": [{"HyperParameterTuningJobName": name} for name in self.parents],
        }


def _bounds(values: Sequence[str]) -> tuple[float, float]:
    """Return the two numbers, or two that are none."""
    try:
        low, high = (float(value) for value in values)
    except (TypeError, ValueError):
        return math.nan, math.nan
    return low, high
