"""What becomes of a reading whose batch met an error, in the words of the page."""

from __future__ import annotations

import json
from typing import Any

from tests.handlers.calls.cases import DONE
from tests.handlers.moto_account import Account
from tests.handlers.support import Scorer, reading

AGAIN = "reported per record, dead-lettered at the last delivery"
LOGGED = "logged, the work is done"
HELD = "reported per record, stays in the queue"
HOT = reading(0, temperature=50.0)


def outcome(account: Account, scorer: Scorer, event: dict[str, Any]) -> str:
    """Deliver a message for the last time but one, and for the last time."""
    if scorer(event) == []:
        return DONE
    last = json.loads(json.dumps(event).replace('"ApproximateReceiveCount": "1"', '"ApproximateReceiveCount": "5"'))
    if scorer(last) == []:
        assert [letter["reason"] for letter in account.letters()] == ["attempts_exhausted"]
        return AGAIN
    return HELD
