"""What the server needs of the machine it runs on: variables of the host's environment, pinned Pythons, Java."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import threading
from functools import lru_cache
from pathlib import Path

# One variable that holds the host's; no worker of this server may see it.
VARIABLE = "ML_LENS_HOST_ENVIRONMENT"
JAVA = 17
_VERSION = re.compile(r'version "(\d+)')


class HostError(Exception):
    """The machine lacks something; the message says what."""


class Pythons:
    """Pinned environments, made on first use by the host's own Python (the server has no cdk-ml-lens).

    Parameters
    ----------
    command
        Prints the interpreter's path when called with the environment's name.
    """

    def __init__(self, command: tuple[str, ...]) -> None:
        self._command = command
        self._lock = threading.Lock()
        self._found: dict[str, Path] = {}

    def ensure(self, name: str) -> Path:
        """Return the interpreter of the environment ``name``.

        Raises
        ------
        HostError
            If it cannot be made; the message ends with what the installer said.
        """
        with self._lock:
            if name not in self._found:
                done = subprocess.run(
                    [*self._command, name],
                    capture_output=True, text=True, check=False, env={**os.environ, **variables()},
                )  # fmt: skip
                if done.returncode != 0:
                    raise HostError(f"the {name} environment cannot be made: {done.stderr.strip()[-1500:]}")
                self._found[name] = Path(done.stdout.strip().splitlines()[-1])
            return self._found[name]


@lru_cache(maxsize=1)
def variables() -> dict[str, str]:
    """Return the host's variables that installers and Java need, and take them out of this process's environment."""
    given: dict[str, str] = json.loads(os.environ.pop(VARIABLE, "{}"))
    return given


def java_home() -> dict[str, str]:
    """Return the variables that lead Spark to Java.

    Raises
    ------
    HostError
        If there is no Java, or not 17. Source: https://spark.apache.org/docs/3.5.6/ (Java 8, 11 or 17).
    """
    home = variables().get("JAVA_HOME")
    java = shutil.which("java") if home is None else str(Path(home) / "bin" / "java")
    if java is None or not Path(java).exists():
        raise HostError(f"Spark needs Java {JAVA}: install it (OpenJDK {JAVA}) or set JAVA_HOME")
    said = subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr
    found = _VERSION.search(said)
    if found is None or int(found.group(1)) != JAVA:
        raise HostError(f"Spark needs Java {JAVA}, got {said.splitlines()[0] if said else java}")
    return {} if home is None else {"JAVA_HOME": home}
