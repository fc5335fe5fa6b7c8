"""The loop's demo through the command line, and its judgement of loops that did not close."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from cdk_ml_lens.local import cli
from cdk_ml_lens.local.loop_demo import Moment, Outcome, judge
from cdk_ml_lens.local.loop_plan import SHIFT, plan

pytestmark = pytest.mark.laptop_cloud
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_the_loop_closes(capsys: pytest.CaptureFixture[str]) -> None:
    code = cli.main(["demo", "loop", "--json"])
    captured = capsys.readouterr()
    assert code == 0, captured.err
    result = json.loads(captured.out)
    assert (result["drift_detected"], result["false_alarm"], result["retrainings"]) == (True, False, 1)
    assert result["rolled_out"] is True
    assert result["answers"] == result["new_version"] != result["old_version"]
    told = [moment["what"] for moment in result["timeline"]]
    assert told.index("deployed") < told.index("alarm went off") < told.index("rolled out by a canary")


def judged(**changes: Any) -> Outcome:
    seen = {"quiet": False, "drifted": True, "runs": 1, "old": "a", "new": "b", "answers": "b"}
    return judge(**{**seen, **changes}, moments=[Moment(seconds=1.0, what="deployed", numbers={"version": "a"})])


def test_a_closed_loop_has_no_fault() -> None:
    outcome = judged()
    assert (outcome.faults, outcome.rolled_out) == ([], True)
    assert outcome.timeline == [{"seconds": 1.0, "what": "deployed", "version": "a"}]


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"quiet": True}, "traffic without change was called drifted"),
        ({"drifted": False}, "the shift of the sensors was not found"),
        ({"runs": 2}, "drift started 2 retrainings, one was due"),
        ({"runs": 0}, "drift started 0 retrainings, one was due"),
        ({"answers": "a"}, "the endpoint answers with a, not with b"),
    ],
)
def test_a_broken_promise_is_named(changes: dict[str, Any], fault: str) -> None:
    assert judged(**changes).faults == [fault]


def test_a_version_that_is_the_old_one_is_no_roll_out() -> None:
    outcome = judged(new="a", answers="a")
    assert outcome.faults == ["the new version is the old one"]
    assert outcome.rolled_out is False


def test_the_sensors_shift_after_the_quiet_stretch_and_not_before() -> None:
    wanted = plan(devices=2, seed=1, now=NOW, lengths=(30, 20, 40))
    assert [len(part.outgoing) for part in (wanted.history, wanted.quiet, wanted.shifted)] == [60, 40, 80]
    sound = plan(devices=2, seed=1, now=NOW, lengths=(30, 60, 0))

    def values(*parts: Any) -> dict[str, dict[str, Any]]:
        return {message.key: json.loads(message.body) for part in parts for message in part.outgoing}

    shifted = values(wanted.shifted)
    for key, reading in values(sound.history, sound.quiet).items():
        added = {name: SHIFT.get(name, 0.0) if key in shifted else 0.0 for name in ("temperature", "pressure")}
        found = values(wanted.history, wanted.quiet, wanted.shifted)[key]
        assert found["temperature"] == pytest.approx(reading["temperature"] + added["temperature"], abs=1e-3)
        assert found["pressure"] == pytest.approx(reading["pressure"], abs=1e-3)
    last = max(datetime.fromisoformat(reading["timestamp"]) for reading in shifted.values())
    assert (NOW - last).total_seconds() == 10.0
