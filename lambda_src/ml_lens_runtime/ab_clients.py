"""The AWS clients of the A/B test's handlers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ml_lens_runtime.clients import Clients


@dataclass(kw_only=True)
class AbClients(Clients):
    """DynamoDB (`ledger`), SQS (`queue`), Step Functions (`state_machine`), and EventBridge."""

    @cached_property
    def bus(self) -> Any:
        """EventBridge."""
        return self._service("events")
