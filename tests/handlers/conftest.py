"""Fixtures of the handler tests: fake clients, and a scorer on them."""

from __future__ import annotations

import pytest

from tests.handlers.fakes import FakeClients
from tests.handlers.support import Scorer


@pytest.fixture
def aws() -> FakeClients:
    return FakeClients()


@pytest.fixture
def scorer(aws: FakeClients) -> Scorer:
    return Scorer(aws)
