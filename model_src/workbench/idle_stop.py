"""Stops the notebook instance that it runs on when nobody has used its Jupyter server for a while; run by a timer."""

from __future__ import annotations

import argparse
import json
import ssl
import sys
import time
import urllib.request
from datetime import datetime
from pathlib import Path
from typing import Any

# It runs on the instance's own Python, which may be 3.8, with boto3 beside it. The server's certificate is its own.
_JUPYTER = "https://localhost:8443"
_METADATA = "/opt/ml/metadata/resource-metadata.json"


def ask(server: str, path: str) -> Any:
    """Return the answer of the Jupyter server's API."""
    context = ssl._create_unverified_context()  # noqa: S323  loopback only
    with urllib.request.urlopen(f"{server}/api/{path}", timeout=10, context=context) as answer:  # noqa: S310
        return json.load(answer)


def last_activity(server: str, now: float) -> float:
    """Return when somebody last used a kernel or a terminal, in seconds since 1970; ``now`` if a kernel computes.

    Source: https://jupyter-server.readthedocs.io/en/latest/developers/rest-api.html
    """
    kernels = [session["kernel"] for session in ask(server, "sessions")]
    if any(kernel.get("execution_state") == "busy" for kernel in kernels):
        return now
    return max((seconds(item["last_activity"]) for item in [*kernels, *ask(server, "terminals")]), default=0.0)


def seconds(text: str) -> float:
    """Return a time such as 2026-01-01T00:00:00.5Z in seconds since 1970."""
    return datetime.fromisoformat(text[:19] + "+00:00").timestamp()


def remembered(state: Path, now: float) -> float:
    """Return the last activity of earlier runs; ``now`` at the first one since the instance started."""
    return float(state.read_text()) if state.exists() else now


def idle_seconds(server: str, state: Path, now: float) -> float:
    """Return for how long nothing happened; a server that does not answer is not used."""
    latest = remembered(state, now)
    try:
        latest = max(latest, last_activity(server, now))
    except OSError as error:
        print(f"the Jupyter server does not answer: {error}")
    state.write_text(str(latest))
    return now - latest


def stop(metadata: Path) -> None:
    """Stop the instance that the metadata name."""
    import boto3

    arn = json.loads(metadata.read_text())["ResourceArn"]
    region, name = arn.split(":")[3], arn.split("/")[-1]
    boto3.client("sagemaker", region_name=region).stop_notebook_instance(NotebookInstanceName=name)


def main(arguments: list[str]) -> int:
    """Look once; stop the instance if it was idle for ``--minutes``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, required=True)
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("--server", default=_JUPYTER)
    parser.add_argument("--metadata", type=Path, default=Path(_METADATA))
    given = parser.parse_args(arguments)
    idle = idle_seconds(given.server, given.state, time.time())
    if idle >= given.minutes * 60:
        print(f"idle for {idle / 60:.0f} minutes: stop")
        stop(given.metadata)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
