"""Ratio of the inference API's handler to the bare invocation that it wraps."""

from __future__ import annotations

import contextlib
import json
import statistics
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

LAMBDA_SOURCE = Path(__file__).resolve().parent.parent / "lambda_src"
sys.path.insert(0, str(LAMBDA_SOURCE))  # Lambda's root; the installed package does not have it

from handlers.answer_request import run  # noqa: E402
from tests.handlers.api_support import SETTINGS, event, instance  # noqa: E402

ENDPOINT_SECONDS = 0.005  # what the local endpoint takes for a call
WARM_UP = 20
CALLS = 300
EVENT = event({"instances": [instance(), instance(temperature=21.5)]})
BODY = b"20.5,100.0\n21.5,100.0\n"  # what the handler makes of the event


class _SlowModel(BaseHTTPRequestHandler):
    """POST /endpoints/<name>/invocations: one score per line after 5 ms; no signature is checked."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def do_POST(self) -> None:
        rows = self.rfile.read(int(self.headers["Content-Length"])).count(b"\n")
        time.sleep(ENDPOINT_SECONDS)
        body = b'{"score": 1.0, "model_version": "bench"}\n' * rows
        self.send_response(200)
        self.send_header("Content-Type", "application/jsonlines")
        self.send_header("x-Amzn-Invoked-Production-Variant", "only")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@contextlib.contextmanager
def _model() -> Iterator[Any]:
    """Serve the slow model on a free loopback port and yield a client of it."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _SlowModel)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield boto3.client(
            "sagemaker-runtime",
            endpoint_url=f"http://127.0.0.1:{server.server_port}",
            region_name="us-east-1",
            aws_access_key_id="bench",
            aws_secret_access_key="bench",
            config=Config(retries={"total_max_attempts": 1}, proxies={}),
        )
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _seconds(call: Callable[[], None]) -> float:
    begun = time.perf_counter()
    call()
    return time.perf_counter() - begun


def overhead() -> float:
    """Return the median time through the handler over that of the bare invocation, calls alternated."""
    with _model() as runtime:

        def bare() -> None:
            answer = runtime.invoke_endpoint(
                EndpointName="turbines", ContentType="text/csv", Accept="application/jsonlines", Body=BODY
            )
            answer["Body"].read()

        def handled() -> None:
            answer = run(env=SETTINGS, event=EVENT, runtime=runtime, request_id="bench")
            if answer["statusCode"] != 200 or len(json.loads(answer["body"])["predictions"]) != 2:
                raise RuntimeError(f"the handler answered {answer['statusCode']}")

        rounds = [(_seconds(handled), _seconds(bare)) for _ in range(WARM_UP + CALLS)][WARM_UP:]
    handled_seconds, bare_seconds = zip(*rounds, strict=True)
    return float(statistics.median(handled_seconds) / statistics.median(bare_seconds))


def measure() -> dict[str, float]:
    """Return the ratio by name; takes about 5 s."""
    return {"api_handler_overhead": overhead()}


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
