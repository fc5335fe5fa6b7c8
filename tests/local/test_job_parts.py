"""Parts of jobs that need no MiniStack: paths of the container, arguments of a script, values of a tuning."""

from __future__ import annotations

import os
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from cdk_ml_lens.local.server import job_process
from cdk_ml_lens.local.server.job_process import Ended, OptMl, Script
from cdk_ml_lens.local.server.training_contract import Contract, ContractError
from cdk_ml_lens.local.server.tuning_search import drawn
from tests.waiting import until

ROOT = OptMl(folder=Path("/here/ml"))


@pytest.mark.parametrize(
    ("given", "mapped"),
    [
        ("/opt/ml/model", "/here/ml/model"),
        ("--root /opt/ml", "--root /here/ml"),
        ("cd /opt/ml/code && ls '/opt/ml'", "cd /here/ml/code && ls '/here/ml'"),
        ("--path=/opt/ml/x,/opt/ml/y", "--path=/here/ml/x,/here/ml/y"),
        ("s3://bucket/opt/ml/model", "s3://bucket/opt/ml/model"),
        ("/opt/mlflow", "/opt/mlflow"),
    ],
)
def test_paths_of_the_container_become_paths_of_the_folder(given: str, mapped: str) -> None:
    assert ROOT.mapped(given) == mapped


@pytest.mark.parametrize("path", ["/tmp/x", "/opt/ml/../x", "relative"])
def test_a_place_outside_the_container_folder_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match="below /opt/ml"):
        ROOT.place(path)


def contract(**hyperparameters: str) -> Contract:
    job: dict[str, Any] = {"TrainingJobName": "j", "AlgorithmSpecification": {"TrainingImage": "forest"}}
    return Contract(job={**job, "HyperParameters": hyperparameters}, root=ROOT, arn="arn")


def test_a_script_gets_its_hyperparameters_as_the_toolkit_writes_them() -> None:
    given = contract(
        sagemaker_program="train.py", sagemaker_region="any", b="true", a='"text"', rate="0.10", names="a,b",
        empty="null", pairs='{"x": 1, "y": 2}', place="/opt/ml/model",
    )  # fmt: skip
    assert given.arguments() == [
        "-a", "text", "-b", "True", "--empty", "", "--names", "a,b", "--pairs", "x=1,y=2",
        "--place", "/here/ml/model", "--rate", "0.1",
    ]  # fmt: skip


def test_an_algorithm_without_a_script_is_refused_by_its_image() -> None:
    with pytest.raises(ContractError, match="not forest"):
        assert contract(k="10").program


def tuning(**ranges: Any) -> dict[str, Any]:
    return {"RandomSeed": 3, "ParameterRanges": ranges}


def numbers(scale: str, least: str, most: str) -> list[float]:
    given = {"Name": "x", "MinValue": least, "MaxValue": most, "ScalingType": scale}
    return [float(drawn(tuning(ContinuousParameterRanges=[given]), number)["x"]) for number in range(400)]


@pytest.mark.parametrize(
    ("scale", "least", "most", "middle"),
    [("Linear", "0", "10", 5.0), ("Logarithmic", "0.0001", "1", 0.01), ("ReverseLogarithmic", "0", "0.9999", 0.99)],
)
def test_values_are_spread_over_the_scale_of_their_range(scale: str, least: str, most: str, middle: float) -> None:
    values = numbers(scale, least, most)
    assert all(float(least) <= value <= float(most) for value in values)
    assert 0.4 < sum(value < middle for value in values) / len(values) < 0.6


def test_the_same_seed_draws_the_same_values_and_each_job_its_own() -> None:
    assert numbers("Linear", "0", "1") == numbers("Linear", "0", "1")
    assert len(set(numbers("Linear", "0", "1"))) == 400


def test_whole_numbers_and_categories_stay_in_their_range() -> None:
    config = tuning(
        IntegerParameterRanges=[{"Name": "n", "MinValue": "1", "MaxValue": "3"}],
        CategoricalParameterRanges=[{"Name": "k", "Values": ["a", "b"]}],
    )
    found = [drawn(config, number) for number in range(60)]
    assert {item["n"] for item in found} == {"1", "2", "3"}
    assert {item["k"] for item in found} == {"a", "b"}


CHILD = """
import signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
for _ in range(600):
    open("beats", "a").write("x")
    time.sleep(0.05)
"""
PARENT = "import subprocess, sys; subprocess.run([sys.executable, '-c', sys.argv[1]])"


def stopped(tmp_path: Path, *command: str) -> Ended:
    """Run a Python program that beats, stop it once it does, and return how it ended."""
    script = Script(
        command=[sys.executable, "-c", *command], environment=dict(os.environ), folder=tmp_path, log=tmp_path / "log"
    )

    def stop() -> None:
        until((tmp_path / "beats").exists, seconds=30)
        script.stop("stopped")

    stopping = threading.Thread(target=stop)
    stopping.start()
    ended = script.run(limit=60)
    stopping.join()
    return ended


def test_a_stopped_script_leaves_nothing_that_it_started(tmp_path: Path) -> None:
    assert stopped(tmp_path, PARENT, CHILD) == Ended(code=-15, why="stopped")
    beats = (tmp_path / "beats").stat().st_size
    time.sleep(0.3)
    assert (tmp_path / "beats").stat().st_size == beats


def test_a_script_that_ignores_the_request_to_end_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_process, "GRACE_SECONDS", 0.3)
    assert stopped(tmp_path, CHILD) == Ended(code=-9, why="stopped")
