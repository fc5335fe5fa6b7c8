"""What the host tells the server, as one JSON file."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Settings of one server process.

    Parameters
    ----------
    state_dir
        Folder of this cloud: temporary files, models, ``ready.json``.
    gateway_port, mqtt_port
        Ports on 127.0.0.1; 0 takes a free one.
    auth
        Whether IAM policies and IoT policies are enforced.
    lambda_workers
        How many event-driven Lambda invocations run at a time.
    retry_delays
        Seconds before the first and second retry of an asynchronous invocation (AWS: about 60 and 120).
    model_python, model_server
        The interpreter and the script that serve a model.
    watch_parent
        Whether the server ends when its standard input closes.
    time_scale
        How many seconds of AWS pass in one second here: guardrails, alarm periods, waits and retries of state machines.
    python_command
        Prints the interpreter of the pinned environment whose name is its last argument; makes it first if needed.
    """

    state_dir: Path
    gateway_port: int
    mqtt_port: int
    auth: bool
    lambda_workers: int
    retry_delays: tuple[float, ...]
    model_python: str
    model_server: str
    watch_parent: bool
    time_scale: float = 1.0
    python_command: tuple[str, ...] = ()

    @staticmethod
    def load(path: Path) -> Settings:
        """Read the settings from ``path``."""
        raw: dict[str, Any] = json.loads(path.read_text())
        raw["state_dir"] = Path(raw["state_dir"])
        raw["retry_delays"] = tuple(raw["retry_delays"])
        raw["python_command"] = tuple(raw["python_command"])
        return Settings(**raw)
