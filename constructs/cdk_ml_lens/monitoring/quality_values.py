"""GroundTruth, QualityBound and QualityRules: where labels arrive, and what answers must keep to."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from aws_cdk import aws_s3 as s3

from cdk_ml_lens.core.errors import Faults

METRICS = ("accuracy", "precision", "recall", "false_positive_rate", "positive_rate", "mae", "rmse", "mean_error")
_DIRECTIONS = ("at_least", "at_most")
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")


@dataclass(frozen=True, kw_only=True)
class GroundTruth:
    """Where labels arrive: ``<prefix>/yyyy/mm/dd/hh/*.jsonl``, by the time at which they were written.

    A line is ``{"groundTruthData": {"data": "1", "encoding": "CSV"}, "eventMetadata": {"eventId": "<inference id>"}}``.

    Parameters
    ----------
    bucket : IBucket
        Holds the labels.
    prefix : str
        Without slashes at its ends. Default: ``ground-truth``.

    Raises
    ------
    PropError
        When the prefix is empty or has a slash at an end.

    Notes
    -----
    Source: https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-model-quality-merge.html
    """

    bucket: s3.IBucket
    prefix: str = "ground-truth"

    def __post_init__(self) -> None:
        faults = Faults("ground truth")
        plain = bool(self.prefix) and self.prefix == self.prefix.strip("/")
        faults.unless(plain, "prefix", "be a path without slashes at its ends", self.prefix)
        faults.raise_any()

    @property
    def folder(self) -> str:
        """Prefix of the labels, with a slash at its end."""
        return f"{self.prefix}/"


@dataclass(frozen=True, kw_only=True)
class QualityBound:
    """What a metric must keep to.

    Parameters
    ----------
    metric : str
        Of answers yes and no: ``accuracy``, ``precision``, ``recall``, ``false_positive_rate``, ``positive_rate``; of
        numbers: ``mae``, ``rmse``, ``mean_error``.
    bound : float
        In the metric's own unit.
    direction : {"at_least", "at_most"}
        Which side is good.

    Raises
    ------
    PropError
        When there is no such metric or direction.
    """

    metric: str
    bound: float
    direction: Literal["at_least", "at_most"]

    def __post_init__(self) -> None:
        faults = Faults("quality bound")
        faults.unless(self.metric in METRICS, "metric", f"be one of {list(METRICS)}", self.metric)
        faults.unless(self.direction in _DIRECTIONS, "direction", f"be one of {list(_DIRECTIONS)}", self.direction)
        faults.raise_any()

    def render(self) -> str:
        """Return the bound as the job takes it."""
        return f"{self.metric}:{self.direction}:{self.bound}"


@dataclass(frozen=True, kw_only=True)
class QualityRules:
    """When the answers of a window are too bad, or too different between groups.

    Parameters
    ----------
    bounds : sequence of QualityBound
        Each is broken when the whole confidence interval of its metric lies beyond it.
    answer_field : str
        Field of a JSON answer that is compared with the label. Default: ``anomaly``.
    group : str, optional
        Feature whose values are compared: share of positive answers, recall, false positive rate. Default: none.
    least_difference : float
        Smallest difference between a group and the others that counts. Default: 0.1.
    false_alarm_rate : float
        Most probable share of windows that are called bad although every bound holds and groups are equal.
        Default: 0.01.
    minimum_rows : int
        Labelled rows below which a window is not judged. Default: 100.

    Raises
    ------
    PropError
        When nothing is judged, a name is no plain one, or a number is out of range.
    """

    bounds: Sequence[QualityBound] = ()
    answer_field: str = "anomaly"
    group: str | None = None
    least_difference: float = 0.1
    false_alarm_rate: float = 0.01
    minimum_rows: int = 100

    def __post_init__(self) -> None:
        object.__setattr__(self, "bounds", tuple(self.bounds))
        faults = Faults("quality rules")
        faults.unless(bool(self.bounds) or self.group is not None, "bounds", "name a metric, or group a feature", ())
        for prop in ("answer_field", "group"):
            value = getattr(self, prop)
            faults.unless(value is None or _NAME.fullmatch(value) is not None, prop, "be a plain name", value)
        faults.within("least_difference", self.least_difference, 0, 1)
        rate = self.false_alarm_rate
        faults.unless(0 < rate <= 0.2, "false_alarm_rate", "be above 0 and at most 0.2", rate)
        faults.unless(self.minimum_rows >= 20, "minimum_rows", "be at least 20", self.minimum_rows, "fewer say nothing")
        faults.raise_any()

    def arguments(self) -> list[str]:
        """Return the arguments of the job."""
        words = ["--answer-field", self.answer_field, "--least-difference", str(self.least_difference)]
        words += ["--false-alarm-rate", str(self.false_alarm_rate), "--minimum-rows", str(self.minimum_rows)]
        words += [word for bound in self.bounds for word in ("--bound", bound.render())]
        return words if self.group is None else [*words, "--group", self.group]
