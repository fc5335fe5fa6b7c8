"""Many tests at once: Holm's adjustment holds the chance of any false alarm, whatever ties the tests together."""

from __future__ import annotations

from collections.abc import Sequence


def holm(p_values: Sequence[float]) -> list[float]:
    """Return Holm's adjusted p-values, in the order given.

    Notes
    -----
    Rejecting where the adjusted value is at most ``rate`` keeps the probability of one or more false rejections at
    most ``rate``, under any dependence of the tests. Source: S. Holm, Scandinavian Journal of Statistics 6 (1979).
    """
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    adjusted = [1.0] * len(p_values)
    largest = 0.0
    for place, index in enumerate(order):
        largest = max(largest, min(1.0, (len(p_values) - place) * p_values[index]))
        adjusted[index] = largest
    return adjusted
