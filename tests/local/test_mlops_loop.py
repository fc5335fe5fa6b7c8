"""The whole loop with IAM enforced: trained on the lake, deployed, drifts, is trained once more, and deployed again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from cdk_ml_lens.local import LaptopCloud, ModelRuntime
from tests.local.loop_support import Loop, ago, wait

pytestmark = pytest.mark.laptop_cloud


@pytest.fixture(scope="module")
def loop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loop]:
    """The stack, on a cloud that enforces IAM and in which a minute of AWS lasts a second."""
    folder = tmp_path_factory.mktemp("cloud")
    with LaptopCloud.start(auth=True, state_dir=folder, models=ModelRuntime(), time_scale=60) as cloud:
        yield Loop.deploy(cloud, tmp_path_factory.mktemp("assembly"))


def deployments(loop: Loop) -> list[str]:
    return [run["status"] for run in loop.runs("DeploymentArn")]


def watched(loop: Loop, rows: list[list[float]]) -> dict[str, Any]:
    """Send traffic, judge it, and return the monitor's verdict."""
    start = ago(seconds=0)
    wait(lambda: ago(seconds=0) > start)
    loop.score(rows)
    wait(lambda: ago(seconds=5) > start)  # captures are written in batches
    arn = loop.judge(start, ago(seconds=-1))

    def ended() -> dict[str, Any] | None:
        run = loop.cloud.client("stepfunctions").describe_execution(executionArn=arn)
        return None if run["status"] == "RUNNING" else dict(run)

    run = wait(ended)
    assert run["status"] == "SUCCEEDED", run
    return dict(json.loads(run["output"]))


def flap(loop: Loop) -> None:
    """Let the drift alarm return to OK and go off again."""
    for value in ("OK", "ALARM"):
        loop.cloud.client("cloudwatch").set_alarm_state(
            AlarmName=loop.outputs["DriftAlarmName"], StateValue=value, StateReason="test"
        )


def test_a_model_is_trained_served_watched_and_trained_again_when_the_sensors_shift(loop: Loop) -> None:
    loop.send(start=ago(hours=3), rows=400)
    assert loop.ask_to_train("first")["outcome"] == "preparing"
    wait(lambda: deployments(loop) == ["SUCCEEDED"], seconds=180)
    old, manifest = loop.serves(), loop.manifest()
    wait(loop.has_baseline)

    normal = loop.rows("test")
    quiet = watched(loop, normal)
    assert not quiet["drifted"]
    assert quiet["rows"] >= len(normal)
    assert len(loop.runs("TrainingArn")) == 1

    loop.send(start=ago(hours=1.5), rows=400, shift=3.0)
    loud = watched(loop, [[1.2 * cell for cell in row] for row in normal])
    assert loud["drifted"]
    wait(lambda: len(loop.runs("TrainingArn")) == 2, seconds=120)
    flap(loop)
    wait(lambda: deployments(loop) == ["SUCCEEDED"] * 2, seconds=180)
    new = loop.serves()
    assert new not in (None, old)
    assert loop.manifest()["rows"]["train"] > manifest["rows"]["train"]

    first, second = loop.runs("TrainingArn")
    assert first["name"].startswith("manual-")
    assert second["name"].startswith("drift-")
    assert json.loads(second["input"])["cause"].startswith(f"drift: alarm {loop.outputs['DriftAlarmName']}")
    wait(lambda: loop.retraining()["run"] is None)
    state = loop.retraining()
    assert state["trained"]["version"] == loop.manifest()["version"]
    assert all(cause["kind"] == "drift" for cause in state["waiting"])  # it waits for data, and starts nothing
    assert len(loop.runs("TrainingArn")) == 2
