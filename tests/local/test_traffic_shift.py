"""TrafficShift on the laptop cloud: good variants get it all, bad ones nothing; kills and second starts do no harm."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest

from cdk_ml_lens.local import LaptopCloud, ModelRuntime
from tests.local import shift_support as support
from tests.local.shift_support import ENDPOINT, Shift, Traffic, complain, reset, set_weights, weights

pytestmark = pytest.mark.laptop_cloud


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LaptopCloud]:
    """A cloud with the model server that has fault knobs; the other tests' server has none."""
    with LaptopCloud.start(state_dir=tmp_path_factory.mktemp("cloud"), models=ModelRuntime()) as started:
        yield started


@pytest.fixture(scope="module")
def outputs(cloud: LaptopCloud, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    support.upload_model(cloud)
    folder = tmp_path_factory.mktemp("assembly")
    app = cdk.App(outdir=str(folder))
    support.build(app)
    app.synth()
    return dict(cloud.deploy(Path(folder), "Shifting").outputs)


@pytest.fixture
def shift(cloud: LaptopCloud, outputs: dict[str, str]) -> Callable[[str], Shift]:
    reset(cloud, outputs)
    return lambda name: Shift(cloud, outputs, name)


def central_interval(count: int, share: float, level: float) -> tuple[int, int]:
    """Return the central interval of the binomial distribution that holds at least ``level``."""
    total, low = 0.0, -1
    for hits in range(count + 1):
        logarithm = math.lgamma(count + 1) - math.lgamma(hits + 1) - math.lgamma(count - hits + 1)
        total += math.exp(logarithm + hits * math.log(share) + (count - hits) * math.log(1 - share))
        if low < 0 and total >= (1 - level) / 2:
            low = hits
        if total >= (1 + level) / 2:
            return low, hits
    return low, count


def decided(found: list[dict[str, Any]]) -> list[str]:
    return [detail["decision"] for detail in found]


def test_a_good_green_is_tested_gets_everything_and_blue_is_retired(
    cloud: LaptopCloud, shift: Callable[[str], Shift], until: Callable[..., Any]
) -> None:
    blue_green = shift("BlueGreen")
    with Traffic(cloud) as traffic:
        until(lambda: traffic.by_variant["blue"] > 30)
        execution = blue_green.start(**{"from": "blue", "to": "green"})
        ended = blue_green.result(execution)
    assert ended["status"] == "SUCCEEDED", ended
    assert weights(cloud) == {"green": 1}
    assert traffic.failed == 0
    assert traffic.by_variant["green"] > 20
    assert decided(blue_green.decisions(execution)) == ["started", "tested", "shifted", "passed", "finished"]
    states = blue_green.states(execution)
    assert states.index("SyntheticTest") < states.index("SetWeights") < states.index("Retire")
    assert blue_green.claim()["phase"] == "finished"


@pytest.mark.parametrize(
    ("variant", "reason"),
    [
        ("red", "ModelErrorException"),
        ("pink", "the answer is -1000.75"),
    ],
)
def test_a_bad_green_never_sees_live_traffic(
    variant: str, reason: str, cloud: LaptopCloud, shift: Callable[[str], Shift], until: Callable[..., Any]
) -> None:
    blue_green = shift("BlueGreen")
    with Traffic(cloud) as traffic:
        until(lambda: traffic.by_variant["blue"] > 30)
        execution = blue_green.start(**{"from": "blue", "to": variant})
        ended = blue_green.result(execution)
        seen = traffic.by_variant["blue"]
        until(lambda: traffic.by_variant["blue"] > seen + 10)
    assert (ended["status"], ended["error"]) == ("FAILED", "ShiftStopped")
    assert "synthetic test" in ended["cause"]
    assert re.search(reason, ended["cause"]), ended["cause"]
    assert set(traffic.by_variant) == {"blue"}
    assert traffic.failed == 0
    assert "SetWeights" not in blue_green.states(execution)
    assert decided(blue_green.decisions(execution)) == ["started", "stopped"]
    assert blue_green.claim()["phase"] == "stopped"


@pytest.mark.parametrize(("variant", "reason"), [("red", r"error rate 0\."), ("snail", r"p99 latency [4-9]\d\d")])
def test_a_variant_that_is_worse_on_live_traffic_loses_it_again(
    variant: str, reason: str, cloud: LaptopCloud, shift: Callable[[str], Shift], until: Callable[..., Any]
) -> None:
    slow = shift("Slow")
    with Traffic(cloud, callers=8) as traffic:
        until(lambda: traffic.by_variant["blue"] > 30)
        execution = slow.start(**{"from": "blue", "to": variant})
        ended = slow.result(execution)
    assert (ended["status"], ended["error"]) == ("FAILED", "ShiftRestored"), ended
    assert re.search(reason, ended["cause"]), ended["cause"]
    assert weights(cloud) == {"blue": 1}
    told = slow.decisions(execution)
    assert told[-1]["decision"] == "restored"
    assert told[-1]["weights"] == {"blue": 1, variant: 0}
    assert told[-1]["reason"] == ended["cause"]
    assert told[-1]["measured"]["new"]["requests"] >= 20
    assert slow.claim()["phase"] == "restored"


def test_a_canary_is_restored_when_an_alarm_rings(
    cloud: LaptopCloud, outputs: dict[str, str], shift: Callable[[str], Shift], until: Callable[..., Any]
) -> None:
    canary = shift("Canary")
    with Traffic(cloud):
        execution = canary.start(**{"from": "blue", "to": "green"})
        until(lambda: "Bake" in canary.states(execution))
        assert weights(cloud) == pytest.approx({"blue": 0.9, "green": 0.1})
        complain(cloud, outputs)
        ended = canary.result(execution)
    assert (ended["error"], ended["cause"]) == ("ShiftRestored", f"in alarm: {outputs['Alarm']}")
    assert weights(cloud) == {"blue": 1}
    assert decided(canary.decisions(execution)) == ["started", "shifted", "restored"]


def test_an_alarm_that_rings_already_keeps_the_shift_from_starting(
    cloud: LaptopCloud, outputs: dict[str, str], shift: Callable[[str], Shift]
) -> None:
    canary = shift("Canary")
    complain(cloud, outputs)
    execution = canary.start(**{"from": "blue", "to": "green"})
    assert canary.result(execution)["error"] == "ShiftStopped"
    assert "SetWeights" not in canary.states(execution)


def test_without_traffic_to_judge_by_the_bake_is_extended_then_undone(
    cloud: LaptopCloud, shift: Callable[[str], Shift]
) -> None:
    empty = shift("Empty")
    execution = empty.start(**{"from": "blue", "to": "pink"})
    ended = empty.result(execution)
    assert (ended["error"], ended["cause"]) == ("ShiftRestored", "too few requests to judge the new variant by")
    assert decided(empty.decisions(execution)) == ["started", "shifted", "extended", "restored"]
    assert weights(cloud) == {"blue": 1}


def test_a_killed_shift_is_resumed_at_its_step_by_the_next_start(
    cloud: LaptopCloud, shift: Callable[[str], Shift], until: Callable[..., Any]
) -> None:
    slow = shift("Slow")
    with Traffic(cloud, callers=4):
        killed = slow.start(**{"from": "blue", "to": "green"})
        until(lambda: slow.states(killed).count("RecordStep") == 2 and slow.now(killed) == "Bake")
        slow.stop(killed)
        assert slow.claim()["phase"] == "running"
        assert weights(cloud) == pytest.approx({"blue": 0.6, "green": 0.4})
        second = slow.start(**{"from": "blue", "to": "green"})
        assert slow.result(second)["status"] == "SUCCEEDED"
    told = slow.decisions(second)
    assert decided(told) == ["resumed", "shifted", "passed", "shifted", "passed", "finished"]
    assert [detail["percent"] for detail in told if detail["decision"] == "shifted"] == [40, 100]
    assert weights(cloud) == {"green": 1}
    assert slow.now(killed) == "Bake"  # the dead one did nothing more


def test_a_killed_shift_is_undone_before_another_one_begins_and_on_request(
    cloud: LaptopCloud, shift: Callable[[str], Shift], until: Callable[..., Any]
) -> None:
    slow = shift("Slow")
    with Traffic(cloud, callers=4):
        killed = slow.start(**{"from": "blue", "to": "green"})
        until(lambda: slow.now(killed) == "Bake")
        slow.stop(killed)
        other = slow.start(**{"from": "blue", "to": "pink"})
        until(lambda: slow.now(other) == "Bake")
        assert weights(cloud) == pytest.approx({"blue": 0.8, "pink": 0.2})
        slow.stop(other)
        restored = slow.run(restore=True)
    assert restored["status"] == "SUCCEEDED", restored
    assert weights(cloud) == {"blue": 1}
    assert decided(slow.decisions(other))[:3] == ["restored", "started", "shifted"]
    nothing = slow.start(restore=True)
    assert slow.result(nothing)["status"] == "SUCCEEDED"
    assert slow.now(nothing) == "NothingToRestore"


def test_a_second_start_is_refused_while_the_first_runs_and_changes_nothing(
    cloud: LaptopCloud, shift: Callable[[str], Shift], until: Callable[..., Any]
) -> None:
    slow = shift("Slow")
    with Traffic(cloud, callers=4):
        first = slow.start(**{"from": "blue", "to": "green"})
        until(lambda: slow.now(first) == "Bake")
        before = weights(cloud), slow.claim()
        for request in ({"from": "blue", "to": "pink"}, {"from": "blue", "to": "green"}, {"restore": True}):
            second = slow.start(**request)
            assert slow.result(second)["error"] == "ShiftAlreadyRunning"
            assert decided(slow.decisions(second)) == ["refused"]
        assert (weights(cloud), slow.claim()) == before
        slow.stop(first)
    assert slow.run(restore=True)["status"] == "SUCCEEDED"


def test_of_many_starts_at_once_one_wins(cloud: LaptopCloud, shift: Callable[[str], Shift]) -> None:
    empty = shift("Empty")
    with ThreadPoolExecutor(8) as starters:
        started = list(starters.map(lambda _: empty.start(to="green", **{"from": "blue"}), range(8)))
    ended = [empty.result(execution) for execution in started]
    assert sorted(item["error"] for item in ended) == ["ShiftAlreadyRunning"] * 7 + ["ShiftRestored"]
    assert weights(cloud) == {"blue": 1}


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        ({"from": "blue", "to": "purple"}, "the endpoint has no variant purple"),
        ({"from": "purple", "to": "green"}, "the endpoint has no variant purple"),
        ({"from": "green", "to": "green"}, "'from' and 'to' are the same variant"),
        ({"from": "red", "to": "green"}, "both variants have weight 0"),
        ({"winner": "green", "test": "t"}, "the input must name 'from'"),
        ({}, "the input names no variant to shift to"),
        ({"from": 7, "to": None}, "the endpoint has no variant null"),
    ],
)
def test_a_wrong_request_is_refused_before_anything_changes(
    request_: dict[str, Any], reason: str, cloud: LaptopCloud, shift: Callable[[str], Shift]
) -> None:
    canary = shift("Canary")
    before = canary.claim()
    execution = canary.start(**request_)
    ended = canary.result(execution)
    assert ended["error"] == "ShiftRefused"
    assert re.search(reason, ended["cause"]), ended["cause"]
    assert canary.claim() == before
    assert weights(cloud) == {"blue": 1}
    assert not {"Claim", "TakeOver", "SetWeights"} & set(canary.states(execution))


def test_a_shift_never_lowers_the_share_that_the_new_variant_has_already(
    cloud: LaptopCloud, shift: Callable[[str], Shift]
) -> None:
    canary = shift("Canary")
    set_weights(cloud, blue=1, green=1)
    with Traffic(cloud, callers=4):
        execution = canary.start(winner="green", test="checkout", **{"from": "blue"})
        assert canary.result(execution)["status"] == "SUCCEEDED"
    told = canary.decisions(execution)
    assert [detail["percent"] for detail in told if detail["decision"] == "shifted"] == [100]
    assert {detail["test"] for detail in told} == {"checkout"}


def test_ninety_to_ten_is_ninety_to_ten_and_a_target_is_honoured(
    cloud: LaptopCloud, shift: Callable[[str], Shift]
) -> None:
    shift("Canary")
    set_weights(cloud, blue=90, green=10)
    runtime = cloud.client("sagemaker-runtime")

    def answered(**target: str) -> str:
        answer = runtime.invoke_endpoint(
            EndpointName=ENDPOINT, Body=b'{"features": [1]}', ContentType="application/json", **target
        )
        return str(answer["InvokedProductionVariant"])

    low, high = central_interval(2000, 0.1, 0.99)
    assert (low, high) == (166, 235)
    # a second sample, because one in a hundred honest samples lies outside
    samples = (sum(answered() == "green" for _ in range(2000)) for _ in range(2))
    assert any(low <= canaries <= high for canaries in samples)
    assert {answered(TargetVariant="green") for _ in range(50)} == {"green"}
    assert {answered(TargetVariant="pink") for _ in range(50)} == {"pink"}  # though its weight is 0


@pytest.mark.parametrize(
    ("detail", "restored"),
    [
        ({"status": "TIMED_OUT"}, True),
        ({"status": "FAILED", "error": "States.DataLimitExceeded"}, True),
        ({"status": "FAILED", "error": "ShiftRestored"}, False),
        ({"status": "SUCCEEDED"}, False),
        ({"status": "ABORTED"}, False),  # somebody wanted it; the next start resumes
        ({"status": "TIMED_OUT", "input": '{"restore": true}'}, False),
    ],
)
def test_the_rule_after_a_loss_matches_losses_only(
    detail: dict[str, str], restored: bool, cloud: LaptopCloud, outputs: dict[str, str]
) -> None:
    events = cloud.client("events")
    (pattern,) = [
        rule["EventPattern"]
        for rule in events.list_rules()["Rules"]
        if outputs["CanaryArn"] in rule.get("EventPattern", "")
    ]
    event = {
        "id": "1", "account": "000000000000", "region": "us-east-1", "time": "2026-11-21T00:00:00Z", "resources": [],
        "source": "aws.states", "detail-type": "Step Functions Execution Status Change",
        "detail": {"stateMachineArn": outputs["CanaryArn"], "input": '{"from": "blue", "to": "green"}', **detail},
    }  # fmt: skip
    assert events.test_event_pattern(EventPattern=pattern, Event=json.dumps(event))["Result"] is restored
