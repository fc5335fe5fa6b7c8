"""Fixtures of the handler tests: fake clients, a scorer on them, and AWS clients that tests share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.calls import plugin
from tests.handlers.fakes import FakeClients
from tests.handlers.shared_clients import shared
from tests.handlers.support import Scorer


def pytest_configure(config: pytest.Config) -> None:
    plugin.register(config)


@pytest.fixture(scope="session", autouse=True)
def _clients() -> Iterator[None]:
    with shared():
        yield


@pytest.fixture
def aws() -> FakeClients:
    return FakeClients()


@pytest.fixture
def scorer(aws: FakeClients) -> Scorer:
    return Scorer(aws)
