"""Sticky assignment: uniform, independent between tests, and moving only those that a changed share must move."""

from __future__ import annotations

import random

import pytest
from scipy import stats as reference

from ml_lens_runtime.assignment import Share, is_treated, point, share_at, user_key

USERS = [f"user-{number}" for number in range(20_000)]


def points(test: str) -> list[float]:
    return [point(user_key(test, user)) for user in USERS]


def test_points_are_uniform_and_the_same_every_time() -> None:
    first = points("checkout")
    assert first == points("checkout")
    assert all(0 <= place < 1 for place in first)
    assert reference.kstest(first, "uniform").pvalue > 0.01


def test_two_tests_split_the_same_users_independently() -> None:
    sides = [[is_treated(place, treatment=0.5) for place in points(test)] for test in ("checkout", "search")]
    both = sum(left and right for left, right in zip(*sides, strict=True))
    assert reference.binomtest(both, len(USERS), 0.25).pvalue > 0.01


def test_a_users_key_depends_on_where_the_salt_ends() -> None:
    assert user_key("a", "b:c") != user_key("a:b", "c")


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_the_share_of_treated_users_is_the_announced_one(share: float) -> None:
    treated = sum(is_treated(place, treatment=share) for place in points("checkout"))
    assert reference.binomtest(treated, len(USERS), share).pvalue > 0.01


def test_the_ends_of_the_scale_leave_nobody_out() -> None:
    assert not any(is_treated(place, treatment=0.0) for place in points("checkout"))
    assert all(is_treated(place, treatment=1.0) for place in points("checkout"))


@pytest.mark.parametrize("seed", range(50))
def test_a_growing_share_moves_only_those_it_must_and_nobody_back(seed: int) -> None:
    """Any sequence of growing shares: each user changes side at most once, and only in the step that owns them."""
    source = random.Random(seed)
    shares = sorted(source.choice((source.random(), 0.0, 1.0, 0.5)) for _ in range(source.randint(2, 12)))
    for place in (source.random() for _ in range(500)):
        sides = [is_treated(place, treatment=share) for share in shares]
        assert sides == sorted(sides)  # control, then treatment, never back
        for (before, old), (after, new) in zip(
            zip(sides, shares, strict=True), zip(sides[1:], shares[1:], strict=True), strict=False
        ):
            assert (before != after) == (1 - new <= place < 1 - old)


@pytest.mark.parametrize("seed", range(20))
def test_no_change_moves_more_users_than_the_difference_of_the_shares(seed: int) -> None:
    source = random.Random(seed)
    old, new = source.random(), source.random()
    places = points("checkout")[:5_000]
    moved = sum(is_treated(place, treatment=old) != is_treated(place, treatment=new) for place in places)
    assert reference.binomtest(moved, len(places), abs(new - old)).pvalue > 0.001


def test_an_announced_share_holds_from_its_time_on() -> None:
    first, second = Share(version=0, treatment=0.5, since=0.0), Share(version=1, treatment=0.6, since=100.0)
    assert [share_at((first, second), now).version for now in (99.9, 100.0)] == [0, 1]
    assert share_at((second,), 5.0) == second
