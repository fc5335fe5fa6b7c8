"""Who gets which variant: a hash of the user against a share, so that a growing share moves only those it must."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

_BITS = 53  # of a float's mantissa: every point below 1 is exact


@dataclass(frozen=True, kw_only=True, slots=True)
class Share:
    """One announced split of the users.

    Attributes
    ----------
    version : int
        Counts the announcements.
    treatment : float
        Share of the users that get the treatment, 0 to 1.
    since : float
        Seconds since the epoch from which on it holds.
    """

    version: int
    treatment: float
    since: float


def user_key(salt: str, user_id: str) -> str:
    """Return what is stored in place of a user id: SHA-256 of the test's salt and the id."""
    return hashlib.sha256(f"{len(salt)}:{salt}:{user_id}".encode("utf-8", "surrogatepass")).hexdigest()


def point(key: str) -> float:
    """Return a user's fixed point in [0, 1), uniform over users, independent between tests."""
    return (int(key[:16], 16) >> (64 - _BITS)) / (1 << _BITS)


def is_treated(place: float, *, treatment: float) -> bool:
    """Tell whether a point belongs to the treatment.

    The control owns [0, 1 - treatment), the treatment the rest, in this order always. If the treatment's share grows
    from a to b, exactly the users in [1 - b, 1 - a) change from control to treatment and nobody changes back.
    """
    return place >= 1 - treatment


def share_at(shares: Sequence[Share], now: float) -> Share:
    """Return the share that holds at a time; the first one if none does yet."""
    held = [share for share in shares if share.since <= now]
    return held[-1] if held else shares[0]
