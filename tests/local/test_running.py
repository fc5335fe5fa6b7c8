"""The memory of a cloud that outlives its command: only a process that runs, and an end also for one that won't."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cdk_ml_lens.local import running

DEAF = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("deaf", flush=True)
time.sleep(60)
"""


@pytest.fixture
def deaf() -> Iterator[subprocess.Popen[str]]:
    """A process that SIGTERM does not end."""
    process = subprocess.Popen([sys.executable, "-c", DEAF], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "deaf\n"
    yield process
    process.kill()
    process.communicate()


def test_a_cloud_that_ignores_the_request_to_end_is_ended(
    deaf: subprocess.Popen[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "STOP_SECONDS", 0.2)
    saved = running.save(tmp_path, pid=deaf.pid, endpoint_url="http://127.0.0.1:1", mqtt_port=1, state_dir=tmp_path)
    assert running.load(tmp_path) == saved
    assert running.stop(tmp_path) == saved
    assert deaf.wait(5) == -signal.SIGKILL
    assert not running.state_file(tmp_path).exists()


def test_a_process_that_has_ended_is_not_remembered(tmp_path: Path) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    with pytest.raises(running.NotRunningError, match=f"the process {ended.pid} has ended"):
        running.save(tmp_path, pid=ended.pid, endpoint_url="http://127.0.0.1:1", mqtt_port=1, state_dir=tmp_path)
    assert not running.state_file(tmp_path).exists()
