"""Runs the server: takes its ports, checks and installs the patches, serves until told to stop."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
import threading
from pathlib import Path
from typing import Any

from .settings import Settings

ACCOUNT = "000000000000"
REGION = "us-east-1"
# Read by MiniStack or moto in this process; a Lambda function must not see them.
SERVER_VARIABLES = (
    "AUTH", "BIND_HOST", "GATEWAY_PORT", "IOT_MTLS_PORT", "LAMBDA_EXECUTOR", "LOG_LEVEL", "MINISTACK_HOST",
    "MOTO_ACCOUNT_ID", "S3_DATA_DIR", "SFTP_ENABLED", "STATE_DIR", "ENV_CREDENTIALS_DIR",
)  # fmt: skip


def main(settings_file: Path) -> None:
    """Serve with the settings in ``settings_file``; returns when the server has ended.

    Raises
    ------
    SystemExit
        If this MiniStack is not the one the patches were made for.
    """
    settings = Settings.load(settings_file)
    gateway, mqtt = _listen(settings.gateway_port), _listen(settings.mqtt_port)
    _set_environment(settings, gateway.getsockname()[1], mqtt.getsockname()[1])

    from . import host, patches

    host.variables()  # out of the environment before any worker starts
    try:
        patches.install(settings, mqtt)
        code = asyncio.run(_serve(settings, gateway, mqtt))
    finally:
        patches.stop()
    sys.stdout.flush()
    os._exit(code)  # MiniStack's background threads have no end of their own


def _listen(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen(256)
    listener.setblocking(False)
    return listener


def _set_environment(settings: Settings, gateway_port: int, mqtt_port: int) -> None:
    temporary = settings.state_dir / "tmp"
    temporary.mkdir(parents=True, exist_ok=True)
    os.environ.update(
        GATEWAY_PORT=str(gateway_port), IOT_MTLS_PORT=str(mqtt_port), BIND_HOST="127.0.0.1",
        MINISTACK_HOST="localhost", SFTP_ENABLED="0", LAMBDA_EXECUTOR="local", LOG_LEVEL="INFO",
        AUTH="true" if settings.auth else "false", MOTO_ACCOUNT_ID=ACCOUNT, TMPDIR=str(temporary),
        S3_DATA_DIR=str(settings.state_dir / "s3"), STATE_DIR=str(settings.state_dir / "state"),
        AWS_ACCESS_KEY_ID="test", AWS_SECRET_ACCESS_KEY="test", AWS_DEFAULT_REGION=REGION,
    )  # fmt: skip


async def _serve(settings: Settings, gateway: socket.socket, mqtt: socket.socket) -> int:
    """Serve until told to stop, or until it is clear that MQTT will never answer; return the exit code."""
    from hypercorn.asyncio import serve  # type: ignore[import-not-found]
    from hypercorn.config import Config  # type: ignore[import-not-found]
    from ministack import app

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if settings.watch_parent:
        threading.Thread(target=_wait_for_parent, args=(loop, stop), daemon=True).start()
    config = Config()
    config.bind = [f"fd://{gateway.fileno()}"]
    config.keep_alive_timeout = 75
    config.graceful_timeout = 0.2
    config.loglevel = "WARNING"
    announcing = asyncio.create_task(_announce(settings, app, gateway, mqtt))
    announcing.add_done_callback(lambda task: None if task.cancelled() or task.result() else stop.set())
    await serve(app.app, config, shutdown_trigger=stop.wait)
    if announcing.done() and not announcing.result():
        print("the MQTT listener did not start; see the lines above", flush=True)
        return 1
    announcing.cancel()
    return 0


def _wait_for_parent(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    sys.stdin.buffer.read()
    loop.call_soon_threadsafe(stop.set)


async def _announce(settings: Settings, app: Any, gateway: socket.socket, mqtt: socket.socket) -> bool:
    """Write ``ready.json`` once HTTP and MQTT both answer; tell whether they do."""
    while app._iot_mtls_state != "listening":
        if app._iot_mtls_state == "degraded":
            return False
        await asyncio.sleep(0.02)
    ready = {
        "pid": os.getpid(),
        "gateway_port": gateway.getsockname()[1],
        "mqtt_port": mqtt.getsockname()[1],
    }
    partial = settings.state_dir / "ready.json.part"
    partial.write_text(json.dumps(ready))
    partial.rename(settings.state_dir / "ready.json")
    return True
