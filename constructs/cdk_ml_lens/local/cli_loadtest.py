"""`ml-lens loadtest`: drives an endpoint on the laptop cloud or on AWS and prints the knee."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console
from rich.table import Table

from cdk_ml_lens.local import running
from cdk_ml_lens.local.cloud import ACCESS_KEY, REGION, SECRET_KEY
from cdk_ml_lens.local.guard import require_loopback
from cdk_ml_lens.local.loadtest import MAX_IN_FLIGHT, Level, Limits, Send, drive, knee

SAFETY_FACTOR = 0.5
ANSWER_SECONDS = 10


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--endpoint", required=True, help="name of the SageMaker AI endpoint")
    parser.add_argument("--endpoint-url", help="URL of the API (default: the running laptop cloud, else AWS)")
    parser.add_argument(
        "--row", default="72.0,2.1,8.0,1500.0", help="body of each request (default: a turbine reading)"
    )
    parser.add_argument("--content-type", default="text/csv", help="default: text/csv")
    parser.add_argument("--rates", default="5,10,20,40,80", help="requests per second (default: 5,10,20,40,80)")
    parser.add_argument("--seconds", type=float, default=5.0, help="length of each rate (default: 5)")
    parser.add_argument("--p99-ms", type=float, default=200.0, help="longest 99th percentile (default: 200)")
    parser.add_argument("--yes", action="store_true", help="yes, load an endpoint that is not on this laptop")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def main(options: argparse.Namespace) -> int:
    """Run the load test; the exit code is 1 when no rate met the limits.

    Raises
    ------
    ValueError
        When an option is out of bounds, or AWS is meant and ``--yes`` is missing.
    """
    limits = Limits(p99_ms=options.p99_ms)
    send = _sender(options, _url(options))
    send()  # the first request loads and connects; it is no measurement
    rates = [float(rate) for rate in options.rates.split(",")]
    levels = drive(send, rates, seconds=options.seconds, limits=limits)
    best = knee(levels, limits)
    _print(levels, best, as_json=options.json)
    return 0 if best is not None else 1


def _url(options: argparse.Namespace) -> str | None:
    if options.endpoint_url is not None:
        url = str(options.endpoint_url)
    else:
        found = running.load(Path.cwd())
        url = "" if found is None else found.endpoint_url
    if not (options.yes or on_laptop(url)):
        raise ValueError(f"--yes must be given for an endpoint on AWS: requests cost money, got {url or 'no URL'}")
    return url or None


def on_laptop(url: str | None) -> bool:
    """Tell whether a URL is that of a laptop cloud."""
    try:
        require_loopback("" if url is None else url)
    except (ValueError, RuntimeError):
        return False
    return True


def client_settings(url: str | None) -> dict[str, str]:
    """Return what the client gets beside its defaults; credentials of the laptop cloud never go to AWS."""
    if url is None:
        return {}
    local = {"region_name": REGION, "aws_access_key_id": ACCESS_KEY, "aws_secret_access_key": SECRET_KEY}
    return {"endpoint_url": url, **(local if on_laptop(url) else {})}


def _sender(options: argparse.Namespace, url: str | None) -> Send:
    config = Config(retries={"total_max_attempts": 1}, max_pool_connections=MAX_IN_FLIGHT, read_timeout=ANSWER_SECONDS)
    make: Any = boto3.client
    client = make("sagemaker-runtime", config=config, **client_settings(url))

    def send() -> bool:
        try:
            answer = client.invoke_endpoint(
                EndpointName=options.endpoint, ContentType=options.content_type, Body=options.row
            )
            answer["Body"].read()
        except (BotoCoreError, ClientError):
            return False
        return True

    return send


def _print(levels: list[Level], best: Level | None, *, as_json: bool) -> None:
    target = None if best is None else best.rate * SAFETY_FACTOR * 60  # as `load_test_sizing`
    if as_json:
        found = None if best is None else best.rate
        print(json.dumps({"levels": [asdict(level) for level in levels], "knee": found, "target": target}))
        return
    table = Table(title="load test, open loop")
    for column in ("requests/s", "achieved", "requests", "failed", "p50 ms", "p99 ms"):
        table.add_column(column, justify="right")
    for level in levels:
        row = (level.rate, level.achieved, level.requests, level.failed, level.p50_ms, level.p99_ms)
        table.add_row(*(f"{value:.1f}" if isinstance(value, float) else str(value) for value in row))
    console = Console()
    console.print(table)
    if best is None:
        console.print("no rate met the limits")
    else:
        console.print(f"knee: {best.rate:g} requests/s on these instances; autoscaling target {target:g} per minute")
        console.print(f"(load_test_sizing with a safety factor of {SAFETY_FACTOR:g}, for one instance)")
