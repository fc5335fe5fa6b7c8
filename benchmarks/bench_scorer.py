"""Ratios of the scorer: batches against single calls, cold import against one client, calls per 1,000 readings."""

from __future__ import annotations

import contextlib
import io
import json
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import boto3

LAMBDA_SOURCE = Path(__file__).resolve().parent.parent / "lambda_src"
sys.path.insert(0, str(LAMBDA_SOURCE))  # Lambda's root; the installed package does not have it

from ml_lens_runtime.clients import ENDPOINT_CONFIG  # noqa: E402
from tests.handlers.fakes import FakeClients  # noqa: E402
from tests.handlers.support import Scorer, reading, sqs_event  # noqa: E402

ENDPOINT_SECONDS = 0.005  # what the local endpoint takes for a call, whatever its size
BATCH = 100
READINGS = 2_000
SINGLES = 200
IMPORTS = 7  # fresh processes for each side, alternated

CLIENT_ALONE = "import boto3; boto3.client('sagemaker-runtime', region_name='us-east-1')"
HANDLER = "import handlers.score_readings"
HANDLER_AND_CLIENTS = (
    "import handlers.score_readings as handler; clients = handler.Clients(region='us-east-1'); "
    "[clients.ledger, clients.endpoint, clients.log, clients.queue]"
)


class _SlowModel(BaseHTTPRequestHandler):
    """POST /endpoints/<name>/invocations: one score per line after 5 ms; no signature is checked."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def do_POST(self) -> None:
        rows = self.rfile.read(int(self.headers["Content-Length"])).count(b"\n")
        time.sleep(ENDPOINT_SECONDS)
        body = b'{"score": 1.0, "threshold": 2.0, "model_version": "bench"}\n' * rows
        self.send_response(200)
        self.send_header("Content-Type", "application/jsonlines")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@contextlib.contextmanager
def _model() -> Iterator[str]:
    """Serve the slow model on a free loopback port and yield its URL."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _SlowModel)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _readings_per_second(url: str, *, count: int, batch: int) -> float:
    """Score readings in events of `batch` through boto3 over HTTP; every other client is a fake in memory."""
    clients = FakeClients()
    endpoint = boto3.client(
        "sagemaker-runtime",
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id="bench",
        aws_secret_access_key="bench",
        config=ENDPOINT_CONFIG,
    )
    clients.__dict__["endpoint"] = endpoint
    scorer = Scorer(clients)
    events = [sqs_event([reading(i + j) for j in range(batch)]) for i in range(0, count, batch)]
    with contextlib.redirect_stdout(io.StringIO()):
        scorer(sqs_event([reading(count)]))  # opens the connection
        begun = time.perf_counter()
        returned = [scorer(event) for event in events]
        seconds = time.perf_counter() - begun
    if any(returned) or len(clients.log.lines) != count + 1:
        raise RuntimeError(f"scored {len(clients.log.lines) - 1} of {count} readings")
    return count / seconds


def throughput() -> float:
    """Return readings per second in batches of 100 over readings per second with one call each."""
    with _model() as url:
        single = _readings_per_second(url, count=SINGLES, batch=1)
        batched = _readings_per_second(url, count=READINGS, batch=BATCH)
    return batched / single


def cold_imports() -> tuple[float, float]:
    """Return the median import times over that of one client: the handler alone, and with the clients of a batch."""
    codes = (CLIENT_ALONE, HANDLER, HANDLER_AND_CLIENTS)
    rounds = [[_seconds(code) for code in codes] for _ in range(IMPORTS)]
    alone, handler, ready = (statistics.median(column) for column in zip(*rounds, strict=True))
    return handler / alone, ready / alone


def _seconds(code: str) -> float:
    timed = f"import time; t = time.perf_counter(); {code}; print(time.perf_counter() - t)"
    command = [sys.executable, "-c", timed]
    result = subprocess.run(command, cwd=LAMBDA_SOURCE, capture_output=True, text=True, check=True)
    return float(result.stdout)


def calls_per_thousand() -> float:
    """Return the endpoint calls for 1,000 readings that arrive through the queue in batches of 100."""
    clients = FakeClients()
    scorer = Scorer(clients)
    with contextlib.redirect_stdout(io.StringIO()):
        for first in range(0, 1000, BATCH):
            scorer(sqs_event([reading(first + i) for i in range(BATCH)]))
    if len(clients.log.lines) != 1000:
        raise RuntimeError(f"scored {len(clients.log.lines)} of 1000 readings")
    return float(len(clients.endpoint.batches))


def measure() -> dict[str, float]:
    """Return all ratios by name; takes about 15 s."""
    handler, ready = cold_imports()
    return {
        "scorer_throughput_batched_over_single": throughput(),
        "cold_import_handler_over_client": handler,
        "cold_import_handler_and_clients_over_client": ready,
        "endpoint_calls_per_1000_readings": calls_per_thousand(),
    }


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
