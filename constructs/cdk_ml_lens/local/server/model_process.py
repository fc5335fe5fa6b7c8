"""Model servers: one process per model, from its artifact in S3, on SageMaker's container contract."""

from __future__ import annotations

import http.client
import itertools
import os
import socket
import subprocess
import tarfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from . import storage
from .settings import Settings

READY_SECONDS = 120.0
CALL_SECONDS = 60.0  # SageMaker's limit for an answer
LOG_LINES = 8
# The server ends when this process closes its standard input, so it never outlives the cloud.
SUPERVISED = (
    "import os,runpy,sys,threading;"
    "threading.Thread(target=lambda:(os.read(0,1),os._exit(0)),daemon=True).start();"
    "sys.argv=sys.argv[1:];runpy.run_path(sys.argv[0],run_name='__main__')"
)


class ModelFailedError(Exception):
    """A model did not come into service; the message is the endpoint's failure reason."""


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
    process: subprocess.Popen[bytes]
    log: Path
    _connections: threading.local = field(default_factory=threading.local)

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
        for fresh in (False, True):
            connection = self._connection(fresh)
            try:
                connection.request("POST", "/invocations", body=body, headers=headers)
                response = connection.getresponse()
                kind = response.getheader("Content-Type", "application/octet-stream")
                return Reply(status=response.status, content_type=kind, body=response.read())
            except (http.client.HTTPException, ConnectionError):
                if fresh:
                    raise ConnectionError(f"the server of model {self.model_name} is gone") from None
        raise AssertionError("unreachable")

    def stop(self) -> None:
        """End the process."""
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
        _fetch(model_name, container, folder / "model.tar.gz", model_dir)
        port = _free_port()
        log = folder / "server.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [self._settings.model_python, "-c", SUPERVISED, self._settings.model_server,
                 "--model-dir", str(model_dir), "--port", str(port)],
                stdin=subprocess.PIPE, stdout=output, stderr=subprocess.STDOUT,
                env=_environment(container), cwd=folder,
            )  # fmt: skip
        started = ModelProcess(model_name=model_name, port=port, process=process, log=log)
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


def _fetch(model_name: str, container: dict[str, Any], archive: Path, model_dir: Path) -> None:
    source = (container.get("ModelDataSource") or {}).get("S3DataSource") or {}
    url = container.get("ModelDataUrl") or source.get("S3Uri")
    if not url:
        raise ModelFailedError(
            f"Model {model_name} has no ModelDataUrl: the laptop cloud serves script-mode models only"
        )
    try:
        storage.download(url, archive)
        with tarfile.open(archive) as bundle:
            extract(bundle, model_dir)
    except Exception as error:
        raise ModelFailedError(f"Could not load model data of {model_name} from {url}: {error}") from error


def extract(bundle: tarfile.TarFile, target: Path) -> None:
    """Extract plain files and folders below ``target``; anything else is refused.

    Raises
    ------
    ValueError
        If a member is a link or a device, or would land outside ``target``.
    """
    for member in bundle.getmembers():
        place = (target / member.name).resolve()
        if not (member.isfile() or member.isdir()) or not place.is_relative_to(target.resolve()):
            raise ValueError(f"archive member {member.name} must be a plain file inside the archive's folder")
        bundle.extract(member, target, set_attrs=False)
