"""Runs code beside the server's own modules, in the server's environment, where no cloud is needed to see a fault."""

from __future__ import annotations

import json
import subprocess
import textwrap
from pathlib import Path
from typing import Any

from cdk_ml_lens.local import venvs
from cdk_ml_lens.local.server_process import SERVER

_BEFORE = """
import importlib, json, os, sys
os.environ.update(MOTO_ACCOUNT_ID="000000000000", GATEWAY_PORT="1", AWS_DEFAULT_REGION="us-east-1")
sys.path.insert(0, sys.argv[1])
def module(name):
    return importlib.import_module("server." + name)
def answer(value):
    print(json.dumps(value))
"""


def probe(code: str, *arguments: str | Path) -> Any:
    """Run ``code``, which takes the server's modules by ``module(name)``, and return what it gives to ``answer``.

    Parameters
    ----------
    code
        Python.
    arguments
        ``sys.argv[2:]`` of the code.
    """
    command = [venvs.ensure("cloud"), "-c", _BEFORE + textwrap.dedent(code), SERVER.parent, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])
