"""`ml-lens rebuild`: serves a model version again from its manifest, on the laptop cloud or on AWS."""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console

from cdk_ml_lens.local import running
from cdk_ml_lens.local.cli_loadtest import client_settings, on_laptop

TAG = "cdk-ml-lens:rebuilds"  # of hosting/rebuild_endpoint.py, which this module does not load; a test compares them
POLL_SECONDS = 1.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("version", metavar="VERSION", help="version of the model, or s3:// URI of its manifest")
    parser.add_argument("--endpoint", help="name of the endpoint (default: the only one that can be rebuilt)")
    parser.add_argument("--endpoint-url", help="URL of the API (default: the running laptop cloud, else AWS)")
    parser.add_argument("--yes", action="store_true", help="yes, change an endpoint that is not on this laptop")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def main(options: argparse.Namespace) -> int:
    """Rebuild and wait for the end; the exit code is 1 when the version does not serve.

    Raises
    ------
    ValueError
        When AWS is meant and ``--yes`` is missing, or no machine or several fit.
    RuntimeError
        When AWS refuses a call.
    """
    url = _url(options)
    make: Any = boto3.client
    machines = make("stepfunctions", **client_settings(url))
    try:
        ended = _run(machines, _machine(machines, options.endpoint), options.version)
    except (BotoCoreError, ClientError) as error:
        raise RuntimeError(f"AWS refused: {error}") from error
    _print(ended, options.version, as_json=options.json)
    return 0 if ended["status"] == "SUCCEEDED" else 1


def _url(options: argparse.Namespace) -> str | None:
    found = running.load(Path.cwd())
    url = options.endpoint_url if found is None or options.endpoint_url is not None else found.endpoint_url
    if not (options.yes or on_laptop(url)):
        raise ValueError(f"--yes must be given to change an endpoint on AWS, got {url or 'no URL'}")
    return None if url is None else str(url)


def _machine(machines: Any, endpoint: str | None) -> str:
    """Return the machine that rebuilds the endpoint, by its tag."""
    pages = machines.get_paginator("list_state_machines").paginate()
    arns = [item["stateMachineArn"] for page in pages for item in page["stateMachines"]]
    found = {arn: name for arn in arns if (name := _rebuilds(machines, arn)) and name == (endpoint or name)}
    if len(found) != 1:
        wanted = "of any endpoint" if endpoint is None else f"of endpoint {endpoint}"
        names = sorted(found.values())
        raise ValueError(f"--endpoint must name one RebuildEndpoint: {len(found)} state machines {wanted}, got {names}")
    (arn,) = map(str, found)
    return arn


def _rebuilds(machines: Any, arn: str) -> str:
    tags = machines.list_tags_for_resource(resourceArn=arn)["tags"]
    return next((str(tag["value"]) for tag in tags if tag["key"] == TAG), "")


def _run(machines: Any, arn: str, version: str) -> dict[str, Any]:
    request = {"manifest" if version.startswith("s3://") else "version": version}
    started = machines.start_execution(stateMachineArn=arn, input=json.dumps(request))
    while True:
        found: dict[str, Any] = machines.describe_execution(executionArn=started["executionArn"])
        if found["status"] != "RUNNING":
            return found
        time.sleep(POLL_SECONDS)


def _print(ended: dict[str, Any], version: str, *, as_json: bool) -> None:
    output = json.loads(ended.get("output") or "{}")
    told = {
        "status": ended["status"],
        "version": output.get("model_version", version),
        "endpoint": output.get("endpoint"),
        "manifest": output.get("manifest"),
        "error": ended.get("error"),
        "cause": ended.get("cause"),
        "execution": ended["executionArn"],
    }
    if as_json:
        print(json.dumps(told))
    elif told["error"] is None and told["endpoint"] is not None:
        Console().print(f"endpoint {told['endpoint']} serves {told['version']}, rebuilt from {told['manifest']}")
    else:
        Console(stderr=True).print(f"{told['status']} {told['error']}: {told['cause']}")
