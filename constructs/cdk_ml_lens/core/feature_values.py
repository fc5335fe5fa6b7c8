"""Values of a feature set: sensors, window features, and the rules of cleaning and normalisation."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Literal

from cdk_ml_lens.core.errors import Faults

_NAME = re.compile(r"[a-z_][a-z0-9_]{0,62}")  # a column name of the Glue Data Catalog
_TAKEN = frozenset({"device_id", "reading_id", "event_time", "received_at", "split", "reason"})
_DAY = 86_400

Statistic = Literal["value", "mean", "std", "minimum", "maximum", "rate", "seconds_since_last"]
STATISTICS = ("value", "mean", "std", "minimum", "maximum", "rate", "seconds_since_last")


@dataclass(frozen=True, kw_only=True)
class Sensor:
    """A numeric field of each reading, and how its raw number becomes a value.

    Parameters
    ----------
    name : str
        JSON field of the reading and column of every table, lower case.
    minimum, maximum : float, optional
        Bounds after conversion, inclusive; a reading outside is quarantined as ``out_of_range``. Default: none.
    factor, offset : float
        Unit conversion: ``value * factor + offset``. Default: 1 and 0.

    Raises
    ------
    PropError
        When the name is no column name, a number is not finite, or the bounds are not ordered.
    """

    name: str
    minimum: float | None = None
    maximum: float | None = None
    factor: float = 1.0
    offset: float = 0.0

    def __post_init__(self) -> None:
        faults = Faults(f"sensor {self.name!r}")
        _check_name(faults, self.name)
        for prop in ("minimum", "maximum", "factor", "offset"):
            number = getattr(self, prop)
            faults.unless(number is None or math.isfinite(number), prop, "be finite", number)
        faults.unless(self.factor != 0, "factor", "not be zero", self.factor)
        if self.minimum is not None and self.maximum is not None:
            faults.unless(self.minimum < self.maximum, "minimum", f"be below {self.maximum}", self.minimum)
        faults.raise_any()


@dataclass(frozen=True, kw_only=True)
class WindowFeature:
    """One number computed from the readings of a device up to, and never after, the reading that it describes.

    Parameters
    ----------
    name : str
        Column of the feature table, lower case.
    statistic : str
        ``value``, ``mean``, ``std`` (of a sample), ``minimum`` and ``maximum`` over the half-open window
        ``(t - window, t]``; ``rate``: change per hour since the earliest reading in ``[t - window, t)``;
        ``seconds_since_last``: age of the reading before, if not older than the window.
    sensor : str, optional
        What it is computed of. Default: nothing, for ``seconds_since_last`` only.
    window_seconds : int
        Length of the window, in seconds, at most one day. Default: 0, for ``value`` only.
    minimum_readings : int
        Fewer values than this in the window give null. Default: 1; ``std`` takes 2.
    null_value : float, optional
        Stands for null in the table and for the model. Default: null stays null.

    Raises
    ------
    PropError
        When a value is out of range or does not fit the statistic.
    """

    name: str
    statistic: Statistic
    sensor: str | None = None
    window_seconds: int = 0
    minimum_readings: int = 1
    null_value: float | None = None

    def __post_init__(self) -> None:
        faults = Faults(f"window feature {self.name!r}")
        _check_name(faults, self.name)
        faults.unless(self.statistic in STATISTICS, "statistic", f"be one of {STATISTICS}", self.statistic)
        since = self.statistic == "seconds_since_last"
        faults.unless((self.sensor is None) == since, "sensor", "be set, but for seconds_since_last", self.sensor)
        low = 0 if self.statistic == "value" else 1
        high = 0 if self.statistic == "value" else _DAY
        faults.within("window_seconds", self.window_seconds, low, high)
        faults.within("minimum_readings", self.minimum_readings, 2 if self.statistic == "std" else 1, 100_000)
        faults.unless(
            self.null_value is None or math.isfinite(self.null_value), "null_value", "be finite", self.null_value
        )
        faults.raise_any()

    def can_be_null(self, *, hold_seconds: int) -> bool:
        """Return whether the feature can be null although the sensor has a value: a model cannot take that.

        Parameters
        ----------
        hold_seconds : int
            How long a missing value is held, in seconds. A held value is in no window, so a window must be longer.
        """
        if self.null_value is not None or self.statistic == "value":
            return False
        looks_back = self.statistic in ("rate", "seconds_since_last") or self.minimum_readings > 1
        return looks_back or self.window_seconds <= hold_seconds


@dataclass(frozen=True, kw_only=True)
class Cleaning:
    """Which readings are kept, and how far a missing value is bridged.

    Parameters
    ----------
    allowed_lateness_seconds : int
        A reading that arrives later than this after its event time is quarantined as ``late``. Default: 3600.
    future_tolerance_seconds : int
        A reading whose event time is further ahead of its arrival is quarantined as ``in_future``. Default: 60.
    hold_seconds : int
        A missing value is the last measured one if that is at most this old. Default: 240, less than
        the five minutes of a standard window. 0: stays null.

    Notes
    -----
    Values are held, not interpolated: a line to the next reading would look ahead.
    """

    allowed_lateness_seconds: int = 3600
    future_tolerance_seconds: int = 60
    hold_seconds: int = 240

    def __post_init__(self) -> None:
        faults = Faults("cleaning")
        faults.within("allowed_lateness_seconds", self.allowed_lateness_seconds, 0, 30 * _DAY)
        faults.within("future_tolerance_seconds", self.future_tolerance_seconds, 0, _DAY)
        faults.within("hold_seconds", self.hold_seconds, 0, _DAY)
        faults.raise_any()


@dataclass(frozen=True, kw_only=True)
class Normalisation:
    """How values are brought to one scale before the windows are computed.

    Parameters
    ----------
    method : {"none", "standard", "minmax"}
        Default: ``none``.
    per : {"device", "all"}
        Parameters of each device, or one set for all. Default: ``device``; an unknown device takes those of all.
    """

    method: Literal["none", "standard", "minmax"] = "none"
    per: Literal["device", "all"] = "device"

    def __post_init__(self) -> None:
        faults = Faults("normalisation")
        faults.unless(self.method in ("none", "standard", "minmax"), "method", "be a known method", self.method)
        faults.unless(self.per in ("device", "all"), "per", "be device or all", self.per)
        faults.raise_any()


def _check_name(faults: Faults, name: str) -> None:
    fits = _NAME.fullmatch(name) is not None and name not in _TAKEN
    faults.unless(fits, "name", "be a lower-case column name that the tables do not use themselves", name)
