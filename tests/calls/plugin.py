"""With ML_LENS_WRITE_EVIDENCE=1 a run of the whole of tests/handlers writes docs/evidence/calls.json."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.calls import evidence
from tests.calls.recorder import Recorder
from tests.calls.scan import ROOT

VARIABLE = "ML_LENS_WRITE_EVIDENCE"
TIER = ROOT / "tests" / "handlers"
OWN = "tests/handlers/calls/test_recorder.py"  # about the recorder, not about the product
WHOLE = {*TIER.glob("test_*.py"), *(TIER / "calls").glob("test_*.py")}  # faults and fuzz make no call of their own


class Plugin:
    """Tells the recorder which test runs, and writes what it saw at the end."""

    def __init__(self) -> None:
        self.recorder = Recorder()
        self.files: set[Path] = set()

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        self.files = {item.path for item in items}

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        self.recorder.test = item.nodeid
        return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtestloop(self) -> Iterator[None]:
        with self.recorder.recording():
            return (yield)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.recorder.failed.add(report.nodeid)

    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        if exitstatus == 0 and self.files >= WHOLE:
            evidence.write(one for one in self.recorder.passed() if not one.test.startswith(OWN))


def register(config: pytest.Config) -> None:
    """Record if it is asked for; xdist's processes would each see a part, so there it is refused."""
    if os.environ.get(VARIABLE) != "1":
        return
    if hasattr(config, "workerinput") or config.getoption("numprocesses", default=None):
        raise pytest.UsageError(f"{VARIABLE}=1 needs one process: leave out -n")
    config.pluginmanager.register(Plugin(), "aws calls")
