"""Best practices: all 105 are there, and coverage is what the rules say, not what we hope."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from cdk_ml_lens.review.pillars import PILLARS, of_practices
from cdk_ml_lens.review.practices import PHASES, Coverage, Extent, coverage, every_practice
from cdk_ml_lens.review.rules import every_rule

IDS = {practice.id for practice in every_practice()}


def covered(practice: str, rules: tuple[str, ...] = ()) -> Coverage:
    """Coverage of one practice where the rules of these ids name it, and no other does."""
    changed = [replace(rule, practices=(practice,) if rule.id in rules else ()) for rule in every_rule()]
    (found,) = [one for one in coverage(changed) if one.practice.id == practice]
    return found


def test_all_practices_are_there_once() -> None:
    assert (len(every_practice()), len(IDS)) == (105, 105)


def test_pillars_have_as_many_practices_as_in_the_lens() -> None:
    counts = Counter(practice.pillar for practice in every_practice())
    assert [counts[pillar] for pillar in PILLARS] == [16, 13, 13, 18, 29, 16]


def test_practices_are_numbered_without_gaps_within_their_phase() -> None:
    groups = Counter(practice.id.split("-")[0] for practice in every_practice())
    assert {f"{group}-BP{number:02}" for group, count in groups.items() for number in range(1, count + 1)} == IDS
    assert {practice.phase for practice in every_practice()} == set(PHASES.values())


def test_a_practice_has_its_own_page() -> None:
    (one,) = [practice for practice in every_practice() if practice.id == "MLOPS04-BP01"]
    assert one.url == "https://docs.aws.amazon.com/wellarchitected/latest/machine-learning-lens/mlops04-bp01.html"
    assert (one.phase, one.pillar) == ("Model development", "Operational excellence")


@pytest.mark.parametrize("practices", [(), ("MLFUN01-BP01",), ("3",)])
def test_fails_on_practices_of_no_pillar(practices: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="practices must start with one of MLOPS, MLSEC"):
        of_practices(practices)


def test_every_practice_that_a_rule_names_exists() -> None:
    assert {name for rule in every_rule() for name in rule.practices} - IDS == set()


def test_every_rule_names_a_practice() -> None:
    assert [rule.id for rule in every_rule() if not rule.practices] == []


def test_a_practice_that_a_template_can_show_is_checked_by_a_rule() -> None:
    found = covered("MLSEC03-BP02", ("SM1",))
    assert (found.extent, found.rules, found.reason) == (Extent.CHECKED, ("MlLens-SM1",), "")


def test_without_a_rule_it_is_a_matter_of_process_with_something_to_do() -> None:
    found = covered("MLSEC03-BP02")
    assert (found.extent, found.rules) == (Extent.PROCESS, ())
    assert found.reason


def test_a_practice_that_needs_people_is_partly_covered_at_best() -> None:
    found = covered("MLPERF02-BP02", ("LC1",))
    assert (found.extent, found.rules) == (Extent.PARTLY, ("MlLens-LC1",))
    assert "choice" in found.reason


def test_whatever_is_not_checked_says_what_is_left() -> None:
    assert [
        one.practice.id for one in coverage(every_rule()) if (one.extent is Extent.CHECKED) == bool(one.reason)
    ] == []
