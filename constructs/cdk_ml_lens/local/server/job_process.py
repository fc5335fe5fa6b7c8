"""A job's container as a process: a Python script with its own /opt/ml, a time limit, and an orderly stop."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from .model_process import SUPERVISED

POLL_SECONDS = 0.05
GRACE_SECONDS = 10.0  # SageMaker gives 120 s between SIGTERM and SIGKILL
KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR")
# one thread per library: the laptop's cores are shared by all jobs and models
MODEST = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}
Why = Literal["ended", "limit", "stopped", "interrupted"]
_OPT_ML = re.compile(r"(?<![\w./-])/opt/ml(?=/|$|[\s\"',:])")


@dataclass(frozen=True, kw_only=True)
class OptMl:
    """The folder that stands for ``/opt/ml``."""

    folder: Path

    def place(self, path: str) -> Path:
        """Return where a path of the container is; one outside ``/opt/ml`` is refused.

        Raises
        ------
        ValueError
            If the path is elsewhere.
        """
        if not _OPT_ML.match(path) or ".." in Path(path).parts:
            raise ValueError(f"the laptop cloud maps paths below /opt/ml, got {path}")
        return self.folder / path.removeprefix("/opt/ml").lstrip("/")

    def mapped(self, text: str) -> str:
        """Return a text with every ``/opt/ml`` replaced by the folder."""
        return _OPT_ML.sub(lambda _: str(self.folder), text)


@dataclass(frozen=True, kw_only=True)
class Ended:
    """How a process ended: its exit code, and who ended it."""

    code: int
    why: Why


@dataclass(kw_only=True)
class Script:
    """A command that runs as a job; `stop` may come at any time, from any thread.

    Parameters
    ----------
    command
        Program and arguments.
    environment
        Its whole environment.
    folder
        Where it runs.
    log
        Where standard output and standard error go; appended to.
    """

    command: Sequence[str]
    environment: dict[str, str]
    folder: Path
    log: Path
    done: threading.Event = field(default_factory=threading.Event)
    _asked: list[Why] = field(default_factory=list)
    _process: subprocess.Popen[bytes] | None = None

    def run(self, *, limit: float) -> Ended:
        """Run to the end, or to the limit in seconds; `done` is set then."""
        try:
            return self._run(limit)
        finally:
            self.done.set()

    def stop(self, why: Why) -> None:
        """Ask the process to end, then make it."""
        self._asked.append(why)

    def kill(self) -> None:
        """End the process and all that it started, at once."""
        self._asked.append("stopped")
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)

    def _run(self, limit: float) -> Ended:
        if self._asked:
            return Ended(code=-signal.SIGTERM, why=self._asked[0])
        deadline = time.monotonic() + limit
        with self.log.open("ab") as output:
            self._process = process = subprocess.Popen(
                list(self.command), stdin=subprocess.PIPE, stdout=output, stderr=subprocess.STDOUT,
                env=self.environment, cwd=self.folder, start_new_session=True,
            )  # fmt: skip
        while process.poll() is None:
            if time.monotonic() > deadline:
                self._asked.append("limit")
            if self._asked:
                _end(process)
                break
            time.sleep(POLL_SECONDS)
        return Ended(code=process.wait(), why=self._asked[0] if self._asked else "ended")


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ask the process and all that it started to end, and kill what is left after the grace."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(GRACE_SECONDS)
        os.killpg(process.pid, signal.SIGKILL)


class Running:
    """The processes of the jobs that run now, by ARN."""

    def __init__(self) -> None:
        self._scripts: dict[str, Script] = {}
        self._stopped: set[str] = set()
        self._lock = threading.Lock()

    def begin(self, arn: str, script: Script) -> None:
        """Take up a script; a job that is being stopped stops it at once."""
        with self._lock:
            self._scripts[arn] = script
            if arn in self._stopped:
                script.stop("stopped")

    def stop(self, arn: str) -> None:
        """Stop the job's script, now or as soon as it begins."""
        with self._lock:
            self._stopped.add(arn)
            if arn in self._scripts:
                self._scripts[arn].stop("stopped")

    def end(self, arn: str) -> None:
        """Forget a job."""
        with self._lock:
            self._scripts.pop(arn, None)
            self._stopped.discard(arn)

    def asked(self, arn: str) -> bool:
        """Tell whether the job is being stopped."""
        return arn in self._stopped

    def kill_all(self) -> None:
        """End every process at once."""
        for script in list(self._scripts.values()):
            script.kill()


def python_command(python: Path, script: Path, arguments: Sequence[str]) -> list[str]:
    """Return the command of a script that ends with this server; its folder must be on ``PYTHONPATH``."""
    return [str(python), "-c", SUPERVISED, str(script), *arguments]


def base_environment(python: Path) -> dict[str, str]:
    """Return the variables of this machine that a job may see; ``python3`` is ``python``."""
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    return {**kept, **MODEST, "PATH": os.pathsep.join([str(python.parent), kept.get("PATH", os.defpath)])}
