"""Sends what retraining has to tell; the outbox is part of its state, so that nothing is untold after a failure."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ml_lens_runtime import strict_json
from ml_lens_runtime.retrain_state import State
from ml_lens_runtime.retrain_store import StateStore

SOURCE = "cdk-ml-lens.retraining"


class NotDeliveredError(RuntimeError):
    """EventBridge did not take an event; it stays in the outbox for the next look."""


def deliver(state: State, *, store: StateStore, bus: Any) -> State:
    """Send what is in the outbox, in its order, and note each as sent.

    Parameters
    ----------
    state : State
        The state as it was written.
    store : StateStore
        Where it is noted.
    bus : EventBridge client
        Who sends.

    Raises
    ------
    NotDeliveredError
        The bus refused an event.
    StateConflictError
        Somebody else went on meanwhile; they send the rest.
    """
    while state.outbox:
        message = state.outbox[0]
        entry = {"Source": SOURCE, "DetailType": message["type"], "Detail": strict_json.dumps(message["detail"])}
        answer = bus.put_events(Entries=[entry])
        if answer["FailedEntryCount"]:
            raise NotDeliveredError(str(answer["Entries"][0].get("ErrorCode")))
        state = store.save(replace(state, outbox=state.outbox[1:]))
    return state
