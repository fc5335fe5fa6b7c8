"""With ML_LENS_WRITE_EVIDENCE=1 a run of tests/handlers, tests/etl and tests/model writes docs/evidence/calls.json."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.calls import evidence
from tests.calls.recorder import Recorder

VARIABLE = "ML_LENS_WRITE_EVIDENCE"


class Plugin:
    """Tells the recorder which test runs, and writes what it saw at the end."""

    def __init__(self) -> None:
        self.recorder = Recorder()

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

    def pytest_sessionfinish(self) -> None:
        evidence.write(self.recorder.passed())


def register(config: pytest.Config) -> None:
    """Record if it is asked for; xdist's processes would each see a part, so there it is refused."""
    if os.environ.get(VARIABLE) != "1":
        return
    if hasattr(config, "workerinput") or config.getoption("numprocesses", default=None):
        raise pytest.UsageError(f"{VARIABLE}=1 needs one process: leave out -n")
    config.pluginmanager.register(Plugin(), "aws calls")
