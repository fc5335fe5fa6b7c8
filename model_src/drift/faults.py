"""Shares of bad rows: missing, not of the type, outside the baseline's range."""

from __future__ import annotations

from .distributions import hypergeometric_tail


def worse_share_p(bad: int, rows: int, baseline_bad: int, baseline_rows: int, *, worth: float, base: float) -> float:
    """Return the probability of so many bad rows, if window and baseline had the same share of them.

    Parameters
    ----------
    bad, rows
        Of the window.
    baseline_bad, baseline_rows
        Of the baseline.
    worth, base
        Independent rows that one row of the window, and one of the baseline, is worth: at most 1.

    Notes
    -----
    Fisher's exact test, one-sided, on effective counts; fractions of a bad row of the window are dropped, so that the
    test errs to silence. With no bad row in the baseline it is the exact test of exceedances: the chance that the
    ``bad`` largest of all values lie in the window.
    """
    if bad == 0:
        return 1.0
    found, drawn = int(bad * worth), max(1, round(rows * worth))
    others, seen = max(1, round(baseline_rows * base)), round(baseline_bad * base)
    return hypergeometric_tail(found, drawn + others, min(found + seen, drawn + others), drawn) if found > 0 else 1.0
