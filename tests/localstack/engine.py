"""Makes LocalStack's environment, starts it in host mode and ends it; nothing of it stays behind."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import localstack_client.session
from botocore.config import Config

from cdk_ml_lens.local import guard, venvs
from tools.release_check import interpreter

HERE = Path(__file__).parent
EXTENSION = HERE / "extension"
CONSTRAINTS = HERE / "constraints.txt"
REQUIREMENTS = ("localstack-core[runtime]==4.14.0", "service_identity==24.2.0")
PYTHONS = ("3.13", "3.12")
START_SECONDS, STOP_SECONDS = 60.0, 15.0


class EngineError(RuntimeError):
    """LocalStack did not start; the message ends with its log."""


@dataclass(frozen=True, kw_only=True)
class Emulator:
    """A running LocalStack, free or the user's; the laptop cloud's deployer takes it as its cloud."""

    endpoint_url: str
    runs_functions: bool
    account: str = guard.ACCOUNT
    region: str = "us-east-1"

    def client(self, service: str) -> Any:
        """Return a boto3 client of this LocalStack through localstack-client."""
        host, port = self.endpoint_url.removeprefix("http://").split(":")
        session = localstack_client.session.Session(localstack_host=f"{host}:{port}", region_name=self.region)
        once = Config(retries={"total_max_attempts": 1}, read_timeout=60)
        return session.client(service, endpoint_url=self.endpoint_url, config=once)


def python() -> str | None:
    """Return an interpreter that LocalStack runs on, None if this machine has none."""
    return next((found for version in PYTHONS if (found := interpreter(version)) is not None), None)


def environment(base: str) -> Path:
    """Return the Python of the pinned environment with our extension in it; make it if it is missing."""
    digest = hashlib.sha256(base.encode())
    for path in sorted([CONSTRAINTS, Path(__file__), *EXTENSION.rglob("*.py"), EXTENSION / "pyproject.toml"]):
        digest.update(path.read_bytes())
    home = venvs.cache_dir() / f"localstack-{digest.hexdigest()[:12]}"
    if not (home / "ready").exists():
        shutil.rmtree(home, ignore_errors=True)
        venvs.run_uv("venv", "-q", "--python", base, str(home))
        target = ("--python", str(home / "bin" / "python"))
        venvs.run_uv("pip", "install", "-q", *target, *REQUIREMENTS, str(EXTENSION), "-c", str(CONSTRAINTS))
        (home / "ready").touch()
    return home / "bin" / "python"


class Engine:
    """One LocalStack process on a free loopback port, with all that it writes below ``folder``."""

    def __init__(self, interpreter: Path, folder: Path) -> None:
        self.log = folder / "localstack.log"
        self.port = _free_port()
        with self.log.open("wb") as output:
            self._process = subprocess.Popen(
                [str(interpreter), "-m", "localstack.runtime.main"],
                stdout=output,
                stderr=subprocess.STDOUT,
                env=_settings(folder, self.port),
                cwd=folder,
                start_new_session=True,
            )
        self._wait()

    @property
    def endpoint_url(self) -> str:
        """Return where it listens."""
        return f"http://localhost:{self.port}"

    @property
    def pid(self) -> int:
        """Return the process id, which is the process group's as well."""
        return self._process.pid

    def stop(self) -> None:
        """End the process and everything that it started."""
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(self.pid, signal.SIGKILL)
            self._process.wait()

    def _wait(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                with urllib.request.urlopen(f"{self.endpoint_url}/_localstack/health", timeout=2):
                    return
            except OSError:
                time.sleep(0.2)
        self.stop()
        raise EngineError(f"LocalStack did not start\n{self.log.read_text(errors='replace')[-3000:]}")


def _settings(folder: Path, port: int) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL") if name in os.environ}
    return kept | {
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "FILESYSTEM_ROOT": str(folder / "root"),
        "LOCALSTACK_VOLUME_DIR": str(folder / "volume"),
        "GATEWAY_LISTEN": f"127.0.0.1:{port}",
        "DNS_ADDRESS": "0",
        "DISABLE_EVENTS": "1",
        "SKIP_SSL_CERT_DOWNLOAD": "1",
        "LAMBDA_RUNTIME_EXECUTOR": "declared",
        # The check asks a catalogue that the free engine does not carry; a test looks for ignored resources instead.
        "CFN_IGNORE_UNSUPPORTED_RESOURCE_TYPES": "1",
        "CFN_PER_RESOURCE_TIMEOUT": "60",
        "PROVIDER_OVERRIDE_DYNAMODB": "moto",
        "PROVIDER_OVERRIDE_KINESIS": "moto",
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port
