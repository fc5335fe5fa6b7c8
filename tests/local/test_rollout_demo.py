"""The rollout demos through the command line: a canary, blue/green, and A/B statistics."""

from __future__ import annotations

import json

import pytest

from cdk_ml_lens.local import rollout_ab
from cdk_ml_lens.local.cli import main

pytestmark = pytest.mark.laptop_cloud


def shown(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, dict[str, object]]:
    """Run a demo and return its exit code and its one JSON object."""
    code = main(["demo", *words, "--json"])
    (line,) = capsys.readouterr().out.strip().splitlines()
    found: dict[str, object] = json.loads(line)
    return code, found


def test_bad_canary_meets_its_share_only_and_is_rolled_back(capsys: pytest.CaptureFixture[str]) -> None:
    code, found = shown(capsys, "canary")
    assert code == 0, found["faults"]
    assert found["rolled_back"] is True
    assert found["stack_status"] == "UPDATE_ROLLBACK_COMPLETE"
    assert 0 < float(str(found["bad_share"])) <= float(str(found["canary_share"])) + 0.02
    assert found["unanswered"] == 0
    assert int(str(found["requests"])) > 100


def test_bad_green_never_meets_live_traffic_and_a_good_one_takes_over(capsys: pytest.CaptureFixture[str]) -> None:
    code, found = shown(capsys, "bluegreen")
    assert code == 0, found["faults"]
    assert found["bad_green_live_requests"] == 0
    assert str(found["bad_green_status"]).startswith("FAILED")
    assert found["good_green_serves"] is True
    assert found["unanswered"] == 0


def test_better_model_wins_and_equal_ones_are_seldom_declared_different(capsys: pytest.CaptureFixture[str]) -> None:
    code, found = shown(capsys, "ab")
    assert code == 0, found["faults"]
    assert int(str(found["better_wins"])) >= 95
    assert int(str(found["declared_different"])) <= 5


def test_rates_out_of_bounds_are_faults() -> None:
    bad = {
        "better": {"decisions": {"treatment": 90, "none": 10}, "median_users": 4000},
        "equal": {"decisions": {"control": 6, "none": 94}, "median_users": 20000},
    }
    assert rollout_ab.judge(bad, 100).faults == [
        "the better model won 90 of 100",
        "equal models were declared different in 6 of 100",
    ]
