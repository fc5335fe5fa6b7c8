"""Feature: one declared numeric input of the model, with the range that a sane sensor stays in."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from cdk_ml_lens.core.errors import Faults

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")


@dataclass(frozen=True, kw_only=True)
class Feature:
    """A numeric field of each reading.

    Parameters
    ----------
    name : str
        JSON field of the reading.
    minimum, maximum : float, optional
        Bounds, in the sensor's own unit; a reading outside is quarantined as ``out_of_range``, not scored.
        Default: no bound but the handler's own against absurd sizes.

    Raises
    ------
    PropError
        When the name is no identifier or the bounds are not finite and ordered.
    """

    name: str
    minimum: float | None = None
    maximum: float | None = None

    def __post_init__(self) -> None:
        faults = Faults(f"feature {self.name!r}")
        faults.unless(_NAME.fullmatch(self.name) is not None, "name", "be a JSON field name", self.name)
        for prop, bound in (("minimum", self.minimum), ("maximum", self.maximum)):
            faults.unless(bound is None or math.isfinite(bound), prop, "be finite", bound)
        if self.minimum is not None and self.maximum is not None:
            faults.unless(self.minimum < self.maximum, "minimum", f"be below {self.maximum}", self.minimum)
        faults.raise_any()


def check_features(features: Sequence[Feature]) -> None:
    """Raise a `PropError` unless there is at least one feature and no name twice."""
    faults = Faults("features")
    names = [feature.name for feature in features]
    faults.unless(len(names) > 0, "features", "name at least one feature", names)
    faults.unless(len(set(names)) == len(names), "features", "name each feature once", names)
    faults.raise_any()


def render_features(features: Sequence[Feature]) -> str:
    """Return the handler's ``FEATURES`` variable: JSON, in the model's input order."""
    return json.dumps([{"name": f.name, "minimum": f.minimum, "maximum": f.maximum} for f in features])
