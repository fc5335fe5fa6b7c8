"""Starts and ends the server process of a laptop cloud, and tells what its log says when it fails."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

SERVER = Path(__file__).parent / "server"
START_SECONDS = 90.0
STOP_SECONDS = 10.0
LOG_LINES = 25
# What the server, and so a Lambda function, may take over from this process.
KEPT_VARIABLES = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "SYSTEMROOT")
# What Java and the installer of environments need; the server keeps it from its workers.
HOST_VARIABLES = re.compile(r"JAVA_HOME|ML_LENS_CACHE|SSL_CERT_(FILE|DIR)|UV_\w+|(HTTPS?|ALL|NO)_PROXY", re.IGNORECASE)
MAKE_ENVIRONMENT = "import runpy, sys; print(runpy.run_path(sys.argv[1])['ensure'](sys.argv[2]))"


class CloudError(RuntimeError):
    """The laptop cloud could not start; the message ends with the last lines of its log."""


@dataclass(frozen=True, kw_only=True)
class ServerOptions:
    """What a server is started with; see `cdk_ml_lens.local.server.settings.Settings`."""

    state_dir: Path
    python: Path
    model_python: Path
    model_server: Path
    gateway_port: int = 0
    mqtt_port: int = 0
    auth: bool = False
    lambda_workers: int = 2
    retry_delays: tuple[float, ...] = (1.0, 2.0)
    time_scale: float = 1.0
    detached: bool = False

    def settings(self) -> dict[str, Any]:
        """Return the settings as the server reads them."""
        values = {key: str(item) if isinstance(item, Path) else item for key, item in asdict(self).items()}
        watch = not values.pop("detached")
        del values["python"]
        command = (sys.executable, "-c", MAKE_ENVIRONMENT, str(Path(__file__).with_name("venvs.py")))
        return {**values, "watch_parent": watch, "python_command": command}


class ServerProcess:
    """One running server.

    Attributes
    ----------
    pid, gateway_port, mqtt_port : int
        As the server announced them.
    log : Path
        Everything the server wrote.
    """

    def __init__(self, options: ServerOptions) -> None:
        self.log = options.state_dir / "server.log"
        self._ready = options.state_dir / "ready.json"
        self._ready.unlink(missing_ok=True)
        self._process = _spawn(options, self.log)
        announced = self._wait()
        self.pid: int = announced["pid"]
        self.gateway_port: int = announced["gateway_port"]
        self.mqtt_port: int = announced["mqtt_port"]

    def stop(self) -> None:
        """End the server and all that it started; returns when it is gone."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        ends: tuple[Callable[[], None], ...] = (self._process.terminate, self._process.kill)
        for end in ends:
            try:
                self._process.wait(STOP_SECONDS)
                return
            except subprocess.TimeoutExpired:
                end()
        self._process.wait()

    def _wait(self) -> dict[str, int]:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self._ready.exists():
                announced: dict[str, int] = json.loads(self._ready.read_text())
                return announced
            if self._process.poll() is not None:
                raise CloudError(f"the laptop cloud ended while starting\n{tail(self.log)}")
            time.sleep(0.05)
        self.stop()
        raise CloudError(f"the laptop cloud did not start within {START_SECONDS:.0f} s\n{tail(self.log)}")


def tail(log: Path) -> str:
    """Return the last lines of ``log`` and where the rest is."""
    lines = log.read_text(errors="replace").splitlines() if log.exists() else []
    return "\n".join([*lines[-LOG_LINES:], f"whole log: {log}"])


def _spawn(options: ServerOptions, log: Path) -> subprocess.Popen[bytes]:
    settings = options.state_dir / "settings.json"
    settings.write_text(json.dumps(options.settings()))
    environment = {key: os.environ[key] for key in KEPT_VARIABLES if key in os.environ}
    environment["PATH"] = os.pathsep.join([str(options.python.parent), environment.get("PATH", os.defpath)])
    host = {key: item for key, item in os.environ.items() if HOST_VARIABLES.fullmatch(key)}
    environment["ML_LENS_HOST_ENVIRONMENT"] = json.dumps(host)
    environment["PYTHONUNBUFFERED"] = "1"
    environment["PYTHONDONTWRITEBYTECODE"] = "1"
    with log.open("wb") as output:
        return subprocess.Popen(
            [str(options.python), str(SERVER), str(settings)],
            stdin=subprocess.DEVNULL if options.detached else subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=environment,
            cwd=options.state_dir,
            start_new_session=options.detached or sys.platform != "win32",
        )
