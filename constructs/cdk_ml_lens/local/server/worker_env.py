"""Gives a Lambda worker the environment that AWS gives it, without the server's own variables."""

from __future__ import annotations

import subprocess
from typing import Any

from ministack.core import lambda_runtime

from .entry import SERVER_VARIABLES


class _WorkerSubprocess:
    """The subprocess module as the worker code sees it, with a ``Popen`` that cleans ``env``."""

    def __getattr__(self, name: str) -> Any:
        return getattr(subprocess, name)

    def Popen(self, *args: Any, env: dict[str, str], **kwargs: Any) -> Any:  # noqa: N802
        """Start a worker without the variables that configure the server."""
        clean = {key: value for key, value in env.items() if key not in SERVER_VARIABLES}
        start: Any = subprocess.Popen
        return start(*args, env=clean, **kwargs)


def install() -> None:
    """Start workers through the cleaning ``Popen``."""
    lambda_runtime.subprocess = _WorkerSubprocess()
