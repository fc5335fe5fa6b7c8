"""The lifecycle script that SecureWorkbench deploys, run: it stops an idle instance, and leaves a used one alone."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from cdk_ml_lens import Workbench

MINUTES = 30


class FakeInstance(ThreadingHTTPServer):
    """Jupyter's sessions and terminals, and SageMaker AI's StopNotebookInstance, over plain HTTP.

    It runs no kernel, asks for no token, checks no signature and stops nothing: it notes what it is asked.
    """

    def __init__(self) -> None:
        self.sessions: list[dict[str, Any]] = []
        self.terminals: list[dict[str, Any]] = []
        self.broken = False
        self.stopped: list[str] = []
        super().__init__(("127.0.0.1", 0), FakeHandler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class FakeHandler(BaseHTTPRequestHandler):
    """Answers for a `FakeInstance`."""

    def do_GET(self) -> None:
        instance: Any = self.server
        answers = {"/api/sessions": instance.sessions, "/api/terminals": instance.terminals}
        self.answer(503 if instance.broken else 200, answers[self.path])

    def do_POST(self) -> None:
        instance: Any = self.server
        assert self.headers["X-Amz-Target"] == "SageMaker.StopNotebookInstance"
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        instance.stopped.append(body["NotebookInstanceName"])
        self.answer(200, {})

    def answer(self, status: int, body: Any) -> None:
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def instance() -> Iterator[FakeInstance]:
    with FakeInstance() as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()


FAKE_SYSTEMD = """#!/bin/bash
# Fake systemd-run: writes down what it is given, and starts no timer.
printf '%s\\n' "$@" > "$ML_LENS_HOME/timer"
"""


@pytest.fixture
def started(tmp_path: Path) -> Callable[..., list[str]]:
    """Return a function that runs the lifecycle script, and returns the command that its timer would run."""

    def start(bench: Workbench, python: str = sys.executable) -> list[str]:
        (tmp_path / "bin").mkdir(exist_ok=True)
        (tmp_path / "bin" / "systemd-run").write_text(FAKE_SYSTEMD)
        (tmp_path / "bin" / "systemd-run").chmod(0o755)
        script = tmp_path / "on_start.sh"
        script.write_bytes(base64.b64decode(bench.start_script()))
        own = {"PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}", "ML_LENS_HOME": str(tmp_path / "home")}
        done = subprocess.run(
            ["bash", str(script)], env={**os.environ, **own, "ML_LENS_PYTHON": python}, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        timer = (tmp_path / "home" / "timer").read_text().splitlines()
        assert {"--on-active=5min", "--on-unit-active=5min"} <= set(timer)
        return timer[timer.index(python) :]

    return start


@pytest.fixture
def look(instance: FakeInstance, started: Callable[..., list[str]], tmp_path: Path) -> Callable[[], str]:
    """Return a function that runs what the timer runs, on the fake instance, and returns what it printed."""
    command = started(Workbench.notebook(idle_minutes=MINUTES))
    metadata = tmp_path / "resource-metadata.json"
    arn = "arn:aws:sagemaker:eu-west-1:111122223333:notebook-instance/bench"
    metadata.write_text(json.dumps({"ResourceArn": arn, "ResourceName": "bench"}))
    keys = {"AWS_ACCESS_KEY_ID": "fake", "AWS_SECRET_ACCESS_KEY": "fake", "AWS_ENDPOINT_URL_SAGEMAKER": instance.url}

    def run() -> str:
        done = subprocess.run(
            [*command, "--server", instance.url, "--metadata", str(metadata)],
            env={**os.environ, **keys},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def ago(minutes: float) -> str:
    return (datetime.now(timezone.utc) - timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")  # noqa: UP017


def kernel(minutes: float, state: str = "idle") -> dict[str, Any]:
    return {"kernel": {"execution_state": state, "last_activity": ago(minutes)}}


def earlier(tmp_path: Path, minutes: float) -> None:
    """Let an earlier run of the timer have seen activity so long ago."""
    then = datetime.now(timezone.utc) - timedelta(minutes=minutes)  # noqa: UP017
    (tmp_path / "home" / "last_activity").write_text(str(then.timestamp()))


def test_an_instance_that_nobody_used_long_enough_is_stopped(
    instance: FakeInstance, look: Callable[[], str], tmp_path: Path
) -> None:
    earlier(tmp_path, MINUTES + 1)
    instance.sessions = [kernel(MINUTES + 5)]
    assert "stop" in look()
    assert instance.stopped == ["bench"]


@pytest.mark.parametrize("used", [[(MINUTES - 2, "idle")], [(600, "busy")], [(600, "idle"), (1, "idle")]])
def test_a_used_kernel_keeps_it(
    used: list[tuple[int, str]], instance: FakeInstance, look: Callable[[], str], tmp_path: Path
) -> None:
    earlier(tmp_path, 600)
    instance.sessions = [kernel(minutes, state) for minutes, state in used]
    look()
    assert instance.stopped == []


def test_a_used_terminal_keeps_it(instance: FakeInstance, look: Callable[[], str], tmp_path: Path) -> None:
    earlier(tmp_path, 600)
    instance.terminals = [{"name": "1", "last_activity": ago(1)}]
    look()
    assert instance.stopped == []


def test_a_fresh_start_counts_as_use(instance: FakeInstance, look: Callable[[], str]) -> None:
    instance.sessions = [kernel(600)]
    look()
    assert instance.stopped == []


def test_a_closed_notebook_is_remembered(instance: FakeInstance, look: Callable[[], str], tmp_path: Path) -> None:
    earlier(tmp_path, 600)
    instance.sessions = [kernel(1)]
    look()
    instance.sessions = []  # the tab and its kernel are closed
    look()
    assert instance.stopped == []


def test_a_server_that_does_not_answer_is_not_used(
    instance: FakeInstance, look: Callable[[], str], tmp_path: Path
) -> None:
    instance.broken = True
    earlier(tmp_path, MINUTES - 1)
    assert "does not answer" in look()
    assert instance.stopped == []
    earlier(tmp_path, MINUTES + 1)
    look()
    assert instance.stopped == ["bench"]


def test_own_commands_run_after_the_timer_is_set(started: Callable[..., list[str]], tmp_path: Path) -> None:
    started(Workbench.notebook(on_start=f"touch {tmp_path / 'own'}"))
    assert (tmp_path / "own").exists()


def test_without_boto3_the_instance_does_not_start(started: Callable[..., list[str]]) -> None:
    with pytest.raises(AssertionError, match="no Python with boto3"):
        started(Workbench.notebook(), python="/bin/false")
