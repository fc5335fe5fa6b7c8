"""Thompson sampling with warm-up: how much of the traffic the treatment gets next; pure functions."""

from __future__ import annotations

import random

from ml_lens_runtime.stats import Sample

DRAWS = 4_000  # standard error of a win probability: at most 0.008


def win_probability(control: Sample, treatment: Sample, *, seed: str) -> float:
    """Return the sampled probability that the treatment converts better than the control.

    Both proportions have a uniform prior; given s successes of n, each is Beta(1 + s, 1 + n - s).

    Parameters
    ----------
    control, treatment : Sample
        Zeros and ones.
    seed : str
        Makes the draws repeatable: the same look gives the same weights.

    Notes
    -----
    Sources: W. Thompson, "On the likelihood that one unknown probability exceeds another in view of the evidence of two
    samples", Biometrika 25(3/4), 1933, pp. 285-294; O. Chapelle, L. Li, "An empirical evaluation of Thompson
    sampling", NIPS 24, 2011, algorithm 2 (Beta-Bernoulli). To give each user a variant with its probability of being
    best is Thompson sampling with one update per look.
    """
    source = random.Random(seed)  # noqa: S311 - simulation, not a secret
    ours = (1 + treatment.successes, 1 + treatment.count - treatment.successes)
    theirs = (1 + control.successes, 1 + control.count - control.successes)
    wins = sum(source.betavariate(*ours) > source.betavariate(*theirs) for _ in range(DRAWS))
    return wins / DRAWS


def next_share(current: float, *, win: float, max_step: float, floor: float) -> float:
    """Return the treatment's next share of the users.

    Parameters
    ----------
    current : float
        Its share now.
    win : float
        Its probability of being the better one.
    max_step : float
        Largest change at a time.
    floor : float
        Least share of either variant, so that both go on being observed.
    """
    wanted = min(max(win, floor), 1 - floor)
    step = min(max(wanted - current, -max_step), max_step)
    return round(current + step, 6)
