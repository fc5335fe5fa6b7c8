"""Values that a tuning job tries: drawn from its ranges at random, the same for the same seed."""

from __future__ import annotations

import math
import random
from typing import Any

Params = dict[str, Any]


def drawn(config: Params, number: int) -> dict[str, str]:
    """Return the values of one training job.

    Parameters
    ----------
    config
        ``HyperParameterTuningJobConfig``.
    number
        Which of its training jobs.
    """
    ranges, dice = config.get("ParameterRanges") or {}, random.Random(f"{config.get('RandomSeed', 0)}/{number}")
    values: dict[str, str] = {}
    for given in ranges.get("IntegerParameterRanges") or []:
        values[given["Name"]] = str(round(_between(given, dice)))
    for given in ranges.get("ContinuousParameterRanges") or []:
        values[given["Name"]] = repr(_between(given, dice))
    for given in ranges.get("CategoricalParameterRanges") or []:
        values[given["Name"]] = dice.choice(given["Values"])
    return values


def _between(given: Params, dice: random.Random) -> float:
    """Return a number of a range, spread evenly over its scale."""
    least, most = float(given["MinValue"]), float(given["MaxValue"])
    scale = given.get("ScalingType", "Auto")
    if scale == "Logarithmic" and least > 0:
        return min(most, max(least, math.exp(dice.uniform(math.log(least), math.log(most)))))
    if scale == "ReverseLogarithmic" and most < 1:
        return min(most, max(least, 1 - math.exp(dice.uniform(math.log(1 - most), math.log(1 - least)))))
    return dice.uniform(least, most)
