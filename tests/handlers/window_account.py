"""A mocked account with a window table, and batches of readings for a scorer with window features."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from ml_lens_runtime.env import Settings
from tests.handlers.moto_account import Account, MotoClients, make_account
from tests.handlers.support import NOW, rule_output, sqs_record
from tests.handlers.window_support import feature, make_window_table, settings

FEATURES = (
    feature("temperature", "value"),
    feature("mean", "mean", 300),
    feature("gap", "seconds_since_last", 300, null_value=300.0),
)


def windowed_account() -> Account:
    """Make the scorer's resources, the window table among them."""
    clients = MotoClients()
    make_window_table(clients.window)
    return make_account(clients)


def with_windows(account: Account, *features: dict[str, Any], **changes: Any) -> Settings:
    made = settings(*features, **changes)
    return replace(account.settings, features=made.features, windows=made.windows, actions=())


def event(
    *seconds_and_values: tuple[float, Any],
    delay: float = 1.0,
    first: int = 0,
    device: str = "turbine-1",
    **more: Any,
) -> dict[str, Any]:
    """Return a batch of readings of one device, each received a second after it was made."""
    records = []
    for number, (second, value) in enumerate(seconds_and_values, start=first):
        made = datetime.fromtimestamp(NOW - 3000 + second, UTC).isoformat()
        output = rule_output(
            {"reading_id": f"r{number}", "timestamp": made, "temperature": value, **more}, device=device
        )
        output["received_at"] = round((NOW - 3000 + second + delay) * 1000)
        records.append(sqs_record(json.dumps(output), number=number))
    return {"Records": records}


def rows(account: Account) -> list[list[float]]:
    return [row for batch in account.clients.endpoint.batches for row in batch]
