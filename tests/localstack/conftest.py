"""One LocalStack for this folder: ours in host mode, or what LOCALSTACK_ENDPOINT names."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from cdk_ml_lens.local import guard
from tests.localstack import engine
from tests.localstack.engine import Emulator

ROOT = Path(__file__).resolve().parents[2]
CONTAINER = "http://localhost:4566"


@pytest.fixture(scope="session")
def emulator() -> Iterator[Emulator]:
    """Return LocalStack; with LOCALSTACK_ENDPOINT or LOCALSTACK_AUTH_TOKEN set, the user's running container."""
    named = os.environ.get("LOCALSTACK_ENDPOINT")
    if named is not None or "LOCALSTACK_AUTH_TOKEN" in os.environ:
        yield Emulator(endpoint_url=guard.require_loopback(named or CONTAINER), runs_functions=True)
        return
    base = engine.python()
    if base is None:
        pytest.skip(f"LocalStack 4.14 needs Python {' or '.join(engine.PYTHONS)}: none on the PATH or from pyenv")
    with tempfile.TemporaryDirectory(prefix="ml-lens-localstack-") as folder:
        running = engine.Engine(engine.environment(base), Path(folder))
        try:
            yield Emulator(endpoint_url=running.endpoint_url, runs_functions=False)
        finally:
            running.stop()


@pytest.fixture(scope="session")
def made() -> set[str]:
    """Return the resource types that the tests of the stacks have seen made; they add to it."""
    return set()
