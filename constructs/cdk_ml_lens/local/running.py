"""Remembers a cloud that outlives the command that started it: the state file under ``.ml-lens/``."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from dataclasses import asdict, dataclass
from pathlib import Path

STOP_SECONDS = 15.0


class NotRunningError(RuntimeError):
    """There is no running cloud to reach."""


@dataclass(frozen=True, kw_only=True)
class RunningCloud:
    """A cloud that runs on its own.

    Parameters
    ----------
    pid
        Its server process.
    identity
        When that process started, and its command: a later process with the same id has another.
    endpoint_url, mqtt_port, state_dir
        How to reach it; see `cdk_ml_lens.local.LaptopCloud`.
    """

    pid: int
    identity: str
    endpoint_url: str
    mqtt_port: int
    state_dir: str

    def alive(self) -> bool:
        """Whether this very process still runs."""
        return process_identity(self.pid) == self.identity


def state_file(folder: Path) -> Path:
    """Return where the cloud of the project in ``folder`` is remembered."""
    return folder / ".ml-lens" / "cloud.json"


def save(folder: Path, *, pid: int, endpoint_url: str, mqtt_port: int, state_dir: Path) -> RunningCloud:
    """Remember a running cloud.

    Raises
    ------
    NotRunningError
        If there is no such process.
    """
    identity = process_identity(pid)
    if identity is None:
        raise NotRunningError(f"the process {pid} has ended")
    running = RunningCloud(
        pid=pid, identity=identity, endpoint_url=endpoint_url, mqtt_port=mqtt_port, state_dir=str(state_dir)
    )
    path = state_file(folder)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(asdict(running), indent=1))
    return running


def load(folder: Path) -> RunningCloud | None:
    """Return the running cloud of ``folder``; ``None`` if none was left running or it has ended."""
    path = state_file(folder)
    if not path.exists():
        return None
    running = RunningCloud(**json.loads(path.read_text()))
    if running.alive():
        return running
    path.unlink()
    return None


def stop(folder: Path) -> RunningCloud:
    """End the cloud of ``folder``, and only that process.

    Raises
    ------
    NotRunningError
        If none runs.
    """
    running = load(folder)
    if running is None:
        raise NotRunningError("no laptop cloud runs here; start one with: ml-lens up")
    for number in (signal.SIGTERM, signal.SIGKILL):
        os.kill(running.pid, number)
        if _ended(running):
            break
    state_file(folder).unlink(missing_ok=True)
    return running


def process_identity(pid: int) -> str | None:
    """Return start time and command line of a process; ``None`` if it does not run."""
    folder = Path(f"/proc/{pid}")
    if folder.parent.joinpath("self").exists():
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            return None
        return None if fields[0] == "Z" else f"{fields[19]} {command.strip()}"
    shown = subprocess.run(
        ["ps", "-o", "lstart=,command=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return shown.stdout.strip() or None


def _ended(running: RunningCloud) -> bool:
    deadline = time.monotonic() + STOP_SECONDS
    while time.monotonic() < deadline:
        if not running.alive():
            return True
        time.sleep(0.05)
    return False
