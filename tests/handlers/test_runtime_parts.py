"""Metrics lines, cutting into requests, client time-outs, JSON depth: the small parts of the runtime."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import ml_lens_runtime
from ml_lens_runtime import metrics, strict_json
from ml_lens_runtime.batching import cut
from ml_lens_runtime.clients import ENDPOINT_CONFIG, SERVICE_CONFIG, Clients
from ml_lens_runtime.metrics import Meter
from tests.handlers.fakes import FakeClients
from tests.handlers.support import Scorer, reading, sqs_event

SOURCE = Path(ml_lens_runtime.__file__).parent.parent


def test_metrics_are_one_line_of_the_embedded_format() -> None:
    meter = Meter()
    meter.add("ReadingsReceived", 3)
    meter.called(5.0)

    (line,) = metrics.lines(meter, rule="telemetry", now=1.5)

    document = json.loads(line)
    (directive,) = document["_aws"]["CloudWatchMetrics"]
    assert directive["Dimensions"] == [["Rule"]]
    assert (document["Rule"], document["_aws"]["Timestamp"]) == ("telemetry", 1500)
    assert {metric["Name"] for metric in directive["Metrics"]} == {*metrics.COUNTS, metrics.LATENCY}
    assert (document["ReadingsReceived"], document["ReadingsScored"]) == (3, 0)
    assert document["EndpointLatencyMs"] == [5.0]


def test_more_latencies_than_a_line_may_hold_go_to_further_lines() -> None:
    meter = Meter(latencies=[1.0] * 250)

    documents = [json.loads(line) for line in metrics.lines(meter, rule="r", now=0)]

    assert [len(document["EndpointLatencyMs"]) for document in documents] == [100, 100, 50]
    assert ["ReadingsScored" in document for document in documents] == [True, False, False]


def test_a_run_prints_its_metrics(scorer: Scorer, aws: FakeClients, capsys: pytest.CaptureFixture[str]) -> None:
    scorer(sqs_event([reading(0), reading(1, temperature=50.0), b"junk"]))

    document = json.loads(capsys.readouterr().out)
    counts = [document[name] for name in metrics.COUNTS]
    assert counts == [3, 2, 1, 0, 0, 1, 1]


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [([], []), ([1, 1, 1, 1], [[1, 1, 1], [1]]), ([6, 6], [[6], [6]]), ([20, 1], [[20], [1]]), ([5, 5], [[5, 5]])],
)
def test_a_list_is_cut_by_count_and_bytes(sizes: list[int], expected: list[list[int]]) -> None:
    assert list(cut(sizes, most=3, size=lambda size: size, most_bytes=10)) == expected


def test_nesting_is_measured_without_recursion() -> None:
    value: object = 1
    for _ in range(strict_json.MAX_DEPTH):
        value = [value]
    assert not strict_json.too_deep(value)
    assert strict_json.too_deep([value])
    for _ in range(100_000):
        value = [value]
    assert strict_json.too_deep(value)


@pytest.mark.parametrize(("config", "most"), [(ENDPOINT_CONFIG, 36), (SERVICE_CONFIG, 22)])
def test_a_call_that_hangs_ends_well_before_a_function_of_sixty_seconds(config: object, most: int) -> None:
    options = vars(config)
    tries = options["retries"]["total_max_attempts"]
    pauses = 2 ** (tries - 1) - 1
    assert options["retries"]["mode"] == "standard"
    assert tries * (options["connect_timeout"] + options["read_timeout"]) + pauses <= most


def test_clients_are_made_once_and_keep_their_time_outs() -> None:
    clients = Clients(region="us-east-1")

    assert clients.endpoint is clients.endpoint
    assert clients.endpoint.meta.config.read_timeout == 15
    for name in ("ledger", "queue", "log", "notify", "command", "state_machine", "function"):
        assert getattr(clients, name).meta.config.read_timeout == 4


def test_the_handler_needs_nothing_but_the_standard_library_and_boto3() -> None:
    code = (
        "import sys; before = set(sys.modules); import handlers.score_readings; "
        "names = {m.split('.')[0] for m in set(sys.modules) - before}; "
        "print(' '.join(sorted(names - set(sys.stdlib_module_names))))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=SOURCE, env={}, capture_output=True, text=True, check=True
    )

    allowed = {"boto3", "botocore", "s3transfer", "jmespath", "dateutil", "six", "urllib3", "certifi"}
    found = {name for name in result.stdout.split() if not name.startswith("_")}
    assert found - allowed <= {"handlers", "ml_lens_runtime"}
    assert {"handlers", "ml_lens_runtime"} <= found
