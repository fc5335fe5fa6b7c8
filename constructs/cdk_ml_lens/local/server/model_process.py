"""Model servers: one process per model, from its artifact in S3, on SageMaker's container contract."""

from __future__ import annotations

import http.client
import itertools
import os
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .model_data import ModelFailedError, extract, fetch
from .settings import Settings

__all__ = ["ModelFailedError", "ModelProcess", "ModelProcesses", "Reply", "extract"]

READY_SECONDS = 120.0
CALL_SECONDS = 60.0  # SageMaker's limit for an answer
LOG_LINES = 8
_GONE = (http.client.HTTPException, ConnectionError)
# The server ends when this process closes its standard input, so it never outlives the cloud.
SUPERVISED = (
    "import os,runpy,sys,threading;"
    "threading.Thread(target=lambda:(os.read(0,1),os._exit(0)),daemon=True).start();"
    "sys.argv=sys.argv[1:];runpy.run_path(sys.argv[0],run_name='__main__')"
)


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What the model answered."""

    status: int
    content_type: str
    body: bytes


@dataclass(kw_only=True)
class ModelProcess:
    """One running model server."""

    model_name: str
    port: int
    start: Callable[[], subprocess.Popen[bytes]]
    log: Path
    process: subprocess.Popen[bytes] = field(init=False)
    _connections: threading.local = field(default_factory=threading.local)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _stopped: bool = False

    def __post_init__(self) -> None:
        self.process = self.start()

    def wait_until_ready(self) -> None:
        """Return when ``/ping`` answers 200.

        Raises
        ------
        ModelFailedError
            If the process ends or does not answer in time.
        """
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise ModelFailedError(self._failure("ended while loading the model"))
            if self._ping():
                return
            time.sleep(0.05)
        raise ModelFailedError(self._failure("did not pass the ping health check"))

    def invoke(self, body: bytes, headers: dict[str, str]) -> Reply:
        """Post ``body`` to the model.

        Raises
        ------
        OSError
            If the server cannot be reached.
        """
        try:
            return self._post(body, headers, fresh=False)
        except _GONE:  # perhaps only the connection that was kept
            pass
        try:
            return self._post(body, headers, fresh=True)
        except _GONE:
            self._revive()
            raise ConnectionError(f"the server of model {self.model_name} is gone") from None

    def _post(self, body: bytes, headers: dict[str, str], *, fresh: bool) -> Reply:
        connection = self._connection(fresh)
        connection.request("POST", "/invocations", body=body, headers=headers)
        response = connection.getresponse()
        kind = response.getheader("Content-Type", "application/octet-stream")
        return Reply(status=response.status, content_type=kind, body=response.read())

    def _revive(self) -> None:
        """Start the server anew if its process has died, as SageMaker replaces a container that fails its checks."""
        with self._lock:
            if self.process.poll() is not None and not self._stopped:
                self.process = self.start()

    def stop(self) -> None:
        """End the process."""
        with self._lock:
            self._stopped = True
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(2)
            except subprocess.TimeoutExpired:
                self.process.kill()

    def _connection(self, fresh: bool) -> http.client.HTTPConnection:
        kept: http.client.HTTPConnection | None = getattr(self._connections, "kept", None)
        if kept is None or fresh:
            kept = http.client.HTTPConnection("127.0.0.1", self.port, timeout=CALL_SECONDS)
            self._connections.kept = kept
        return kept

    def _ping(self) -> bool:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
            connection.request("GET", "/ping")
            return connection.getresponse().status == 200
        except OSError:
            return False

    def _failure(self, what: str) -> str:
        lines = self.log.read_text(errors="replace").strip().splitlines()[-LOG_LINES:]
        return f"The server of model {self.model_name} {what}: {' | '.join(lines) or 'it wrote nothing'}"


class ModelProcesses:
    """Starts model servers, and ends all of them with the cloud."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._numbers = itertools.count(1)
        self._running: list[ModelProcess] = []

    def start(self, model_name: str, container: dict[str, Any]) -> ModelProcess:
        """Start the server of one model; it may still be loading when this returns.

        Raises
        ------
        ModelFailedError
            If the model has no artifact or it cannot be read.
        """
        folder = self._settings.state_dir / "models" / f"{model_name}-{next(self._numbers)}"
        model_dir = folder / "model"
        model_dir.mkdir(parents=True)
        fetch(model_name, container, folder / "model.tar.gz", model_dir)
        port = _free_port()
        log = folder / "server.log"

        def start() -> subprocess.Popen[bytes]:
            with log.open("ab") as output:
                return subprocess.Popen(
                    [self._settings.model_python, "-c", SUPERVISED, self._settings.model_server,
                     "--model-dir", str(model_dir), "--port", str(port)],
                    stdin=subprocess.PIPE, stdout=output, stderr=subprocess.STDOUT,
                    env=_environment(container), cwd=folder,
                )  # fmt: skip

        started = ModelProcess(model_name=model_name, port=port, start=start, log=log)
        self._running.append(started)
        return started

    def stop_all(self) -> None:
        """End every model server."""
        for process in self._running:
            process.stop()


def _environment(container: dict[str, Any]) -> dict[str, str]:
    own = {key: str(value) for key, value in (container.get("Environment") or {}).items()}
    kept = {key: os.environ[key] for key in ("PATH", "HOME", "LANG", "TMPDIR") if key in os.environ}
    # one thread per library: the laptop's cores are shared by all models
    return {**kept, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1", **own}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
