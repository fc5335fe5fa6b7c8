"""The load test: open loop, latency from when a request was due, a knee, bounds, and nothing sent to AWS unasked."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable

import pytest

from cdk_ml_lens.local import LaptopCloud, cli_loadtest
from cdk_ml_lens.local.cli import main
from cdk_ml_lens.local.loadtest import MAX_IN_FLIGHT, MAX_WAITING, Clock, Level, Limits, drive, knee, percentile
from tests.local.conftest import Deploy
from tests.local.sagemaker_support import stack


class FakeTime:
    """A clock that only moves when somebody sleeps or a request takes time. It knows no threads' order."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._lock = threading.Lock()

    def now(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self.seconds += seconds


def level(rate: float, *, p99_ms: float = 10, failed: int = 0) -> Level:
    return Level(rate=rate, achieved=rate, requests=1000, failed=failed, p50_ms=1, p99_ms=p99_ms)


def test_knee_is_the_highest_rate_within_the_limits() -> None:
    limits = Limits(p99_ms=100)
    assert knee([level(10), level(20), level(40, p99_ms=500)], limits) == level(20)
    assert knee([level(10, failed=100)], limits) is None


def test_rising_rates_end_with_the_first_that_fails() -> None:
    fake = FakeTime()
    answers = iter([True] * 10 + [False] * 90)
    levels = drive(
        lambda: next(answers),
        [10, 20, 40],
        seconds=1,
        limits=Limits(p99_ms=1e9),  # errors alone decide: the fake clock runs ahead of the threads
        clock=Clock(now=fake.now, sleep=fake.sleep),
    )
    assert [(found.rate, found.requests, found.failed) for found in levels] == [(10, 10, 0), (20, 20, 20)]


def test_latency_counts_from_when_the_request_was_due() -> None:
    slow = threading.Lock()

    def one_at_a_time() -> bool:
        with slow:
            threading.Event().wait(0.02)  # 50 a second at most
        return True

    (found,) = drive(one_at_a_time, [100], seconds=0.5, limits=Limits())
    assert found.p99_ms > 200  # the queue that builds up is seen, not hidden


def test_percentile_is_a_value_that_was_measured() -> None:
    assert percentile([1, 2, 3, 4], 0.5) == 2
    assert percentile([5.0], 0.99) == 5.0


@pytest.mark.parametrize(("rates", "seconds"), [([], 1), ([10, 5], 1), ([0, 5], 1), ([1000], 1), ([10], 0), ([10], 61)])
def test_bounds_are_kept(rates: list[float], seconds: float) -> None:
    with pytest.raises(ValueError, match="must"):
        drive(lambda: True, rates, seconds=seconds, limits=Limits())


def test_aws_is_not_loaded_without_a_yes(capsys: pytest.CaptureFixture[str]) -> None:
    url = "https://runtime.sagemaker.eu-west-1.amazonaws.com"
    assert main(["loadtest", "--endpoint", "e", "--endpoint-url", url]) == 1
    assert "--yes must be given" in " ".join(capsys.readouterr().err.split())


def test_aws_never_gets_the_laptops_credentials() -> None:
    aws = "https://runtime.sagemaker.eu-west-1.amazonaws.com"
    assert cli_loadtest.client_settings(aws) == {"endpoint_url": aws}
    assert cli_loadtest.client_settings(None) == {}
    assert cli_loadtest.client_settings("http://127.0.0.1:4566")["aws_access_key_id"] == "test"


def test_endpoint_that_hangs_gets_a_bounded_number_of_requests() -> None:
    hung, sent = threading.Event(), []

    def hang() -> bool:
        sent.append(1)
        hung.wait(10)
        return True

    threading.Timer(1.5, hung.set).start()
    (found,) = drive(hang, [500], seconds=2, limits=Limits())
    assert found.requests == 1000
    assert MAX_IN_FLIGHT < len(sent) <= MAX_WAITING + 1
    assert found.failed == 1000 - len(sent)


def test_an_endpoint_that_answers_nothing_has_no_knee(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as closed:  # bound and not listening: refuses connections
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
        arguments = ["loadtest", "--endpoint", "e", "--endpoint-url", url, "--rates", "5,10", "--seconds", "1"]
        assert main(arguments) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == "no rate met the limits"
    (row,) = [line for line in lines if line.startswith("│")]  # 10 per second is not tried after 5 failed
    assert [cell.strip() for cell in row.split("│")][3:5] == ["5", "5"]


@pytest.mark.laptop_cloud
def test_endpoint_on_the_laptop_cloud_is_driven_to_a_knee(
    laptop_cloud: LaptopCloud,
    deploy_template: Deploy,
    model_artifact: Callable[..., str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    deploy_template("Loaded", stack("loaded", {"Only": model_artifact("only", name="only")}, {"Only": 1}))
    words = ["--endpoint-url", laptop_cloud.endpoint_url, "--rates", "5,10", "--seconds", "1", "--p99-ms", "5000"]
    assert main(["loadtest", "--endpoint", "loaded", "--row", "1,2", "--json", *words]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["knee"], found["target"]) == (10.0, 300.0)
    assert [measured["failed"] for measured in found["levels"]] == [0, 0]
    assert main(["loadtest", "--endpoint", "loaded", "--row", "1,2", *words]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "knee: 10 requests/s on these instances; autoscaling target 300 per minute" in shown
