"""Makes and caches the pinned virtual environments: the cloud's server, the models, ETL jobs with and without Spark."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Literal

Name = Literal["cloud", "model", "etl", "spark"]
PINS = Path(__file__).parent / "pins"
Progress = Callable[[str], None]
_FINDING_UV = threading.Lock()  # it reads sysconfig, whose first use must not happen twice at a time


class VenvError(RuntimeError):
    """A virtual environment could not be made; the message ends with uv's own output."""


def cache_dir() -> Path:
    """Return where environments are kept: ``$ML_LENS_CACHE``, else ``~/.cache/cdk-ml-lens``."""
    configured = os.environ.get("ML_LENS_CACHE")
    return Path(configured) if configured else Path.home() / ".cache" / "cdk-ml-lens"


def pins_digest(name: str) -> str:
    """Return a short hash of the pins and of the interpreter that will run them.

    Parameters
    ----------
    name
        One of `Name`.
    """
    digest = hashlib.sha256((PINS / f"{name}.txt").read_bytes())
    digest.update(sys.implementation.cache_tag.encode() if sys.implementation.cache_tag else b"")
    return digest.hexdigest()[:12]


def ensure(name: Name, *, progress: Progress | None = None) -> Path:
    """Return the Python of the environment ``name``, and make the environment first if it is missing.

    Two processes may call this at the same time: each builds beside the final place and renames;
    whoever comes second uses what the first one made.

    Parameters
    ----------
    name
        ``cloud`` (MiniStack and moto), ``model`` (scikit-learn as SageMaker's container has it), ``etl`` (Polars, as
        our Glue jobs install it) or ``spark`` (the same and PySpark; to run it takes Java 17 besides).
    progress
        Called with one line of text when something is installed. Default: silent.

    Raises
    ------
    VenvError
        If uv cannot make or fill the environment.
    """
    home = cache_dir() / f"{name}-{pins_digest(name)}"
    if not _python(home).exists():
        if progress is not None:
            progress(f"installing the {name} environment in {home} (once)")
        _build(name, home)
    return _python(home)


def _python(home: Path) -> Path:
    return home / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def _build(name: str, home: Path) -> None:
    home.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix=f".{home.name}-", dir=home.parent))
    try:
        run_uv("venv", "--quiet", "--allow-existing", "--relocatable", "--python", sys.executable, str(scratch))
        run_uv(
            "pip",
            "install",
            "--quiet",
            "--compile-bytecode",
            "--python",
            str(_python(scratch)),
            "-r",
            str(PINS / f"{name}.txt"),
        )
        try:
            scratch.rename(home)
        except OSError:
            if not _python(home).exists():
                raise
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def run_uv(*arguments: str) -> None:
    """Run uv; raise `VenvError` with its output if it fails."""
    from uv import find_uv_bin

    with _FINDING_UV:
        uv = find_uv_bin()
    kept = {key: value for key, value in os.environ.items() if key != "VIRTUAL_ENV"}
    with tempfile.TemporaryDirectory(prefix="ml-lens-") as folder:  # uv leaves a lock for each package that it builds
        environment = {**kept, "TMPDIR": folder}
        done = subprocess.run([uv, *arguments], capture_output=True, text=True, check=False, env=environment)
    if done.returncode != 0:
        raise VenvError(f"uv {' '.join(arguments[:2])} failed:\n{done.stderr.strip()}")
