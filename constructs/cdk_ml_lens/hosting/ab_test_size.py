"""How many users an A/B test needs: a lower bound of the always-valid test's power, solved for the users."""

from __future__ import annotations

import math
from statistics import NormalDist

from cdk_ml_lens.core.errors import Faults

_MOST = 10**9


def users_for_conversion(
    *, baseline: float, effect: float, power: float = 0.95, alpha: float = 0.05, share: float = 0.5
) -> int:
    """Return the users of both variants together that show a change of a conversion rate.

    Parameters
    ----------
    baseline : float
        Rate of the control, over 0 and below 1.
    effect : float
        Difference to be found, in the same unit: 0.02 for 4 % against 6 %.
    power : float
        Least probability of finding it. Default: 0.95.
    alpha : float
        Error rate of the test. Default: 0.05.
    share : float
        Treatment's share of the users. Default: 0.5.

    Raises
    ------
    PropError
        When a number is out of range.
    """
    faults = Faults("size of an A/B test")
    faults.unless(0 < baseline < 1, "baseline", "be between 0 and 1", baseline)
    faults.unless(0 < baseline + effect < 1, "effect", "lead to a rate between 0 and 1", effect)
    faults.raise_any()
    rate = baseline + effect
    return _users(baseline * (1 - baseline), rate * (1 - rate), effect=effect, power=power, alpha=alpha, share=share)


def users_for_mean(
    *, deviation: float, effect: float, power: float = 0.95, alpha: float = 0.05, share: float = 0.5
) -> int:
    """Return the users of both variants together that show a change of a mean.

    Parameters
    ----------
    deviation : float
        Standard deviation of a user's value.
    effect, power, alpha, share
        As for `users_for_conversion`, ``effect`` in the metric's unit.

    Raises
    ------
    PropError
        When a number is out of range.
    """
    faults = Faults("size of an A/B test")
    faults.unless(deviation > 0, "deviation", "be over 0", deviation)
    faults.raise_any()
    return _users(deviation**2, deviation**2, effect=effect, power=power, alpha=alpha, share=share)


def _users(control: float, treatment: float, *, effect: float, power: float, alpha: float, share: float) -> int:
    """Return the least n at which the test, looked at once at n, has the power; more looks only add to it.

    With V = s_t^2 / (share * n) + s_c^2 / ((1 - share) * n) the test rejects if the difference exceeds
    m = sqrt(2 V (V + e^2) / e^2 * log(sqrt((V + e^2) / V) / alpha)) (Johari et al., Operations Research 70(3), 2022,
    pp. 1806-1821, solved for the difference), which has probability Phi((e - m) / sqrt(V)) at a true difference e.
    """
    faults = Faults("size of an A/B test")
    faults.unless(effect != 0 and math.isfinite(effect), "effect", "be a number other than 0", effect)
    for name, value in (("power", power), ("alpha", alpha), ("share", share)):
        faults.unless(0 < value < 1, name, "be between 0 and 1", value)
    faults.raise_any()
    needed = NormalDist().inv_cdf(power)

    def suffices(users: int) -> bool:
        variance = treatment / (share * users) + control / ((1 - share) * users)
        both = variance + effect**2
        margin = math.sqrt(2 * variance * both / effect**2 * math.log(math.sqrt(both / variance) / alpha))
        return (abs(effect) - margin) / math.sqrt(variance) >= needed

    low, high = 1, 2
    while not suffices(high) and high < _MOST:
        low, high = high, high * 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if suffices(middle) else (middle, high)
    return high
