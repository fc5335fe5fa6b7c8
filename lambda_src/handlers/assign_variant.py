"""Assigns a user of an A/B test: the variant to target and the id under which the outcome is reported."""

from __future__ import annotations

import functools
import os
import re
import time
import uuid
from typing import Any

from ml_lens_runtime import assignment
from ml_lens_runtime.ab_clients import AbClients
from ml_lens_runtime.ab_journal import Enrolment, Inference, Journal
from ml_lens_runtime.ab_plan import Setup
from ml_lens_runtime.ab_state import State, StateCache, StateStore

USER_CHARACTERS = 1024
_INFERENCE_ID = re.compile(r"[!-~][ -~]{0,63}")  # API_runtime_InvokeEndpoint, InferenceId; ASCII only


class BadRequestError(ValueError):
    """The caller's event cannot be used; the message says which field and why."""


@functools.cache
def _process() -> tuple[Setup, AbClients, StateCache]:
    """Parse the environment and prepare the clients once per process."""
    return Setup.parse(os.environ), AbClients(), StateCache()


def handler(event: Any, _context: Any) -> dict[str, Any]:
    """Lambda's entry point."""
    setup, clients, cache = _process()
    return run(setup=setup, event=event, clients=clients, cache=cache, now=time.time())


def run(*, setup: Setup, event: Any, clients: AbClients, cache: StateCache, now: float) -> dict[str, Any]:
    """Assign one request; the same inference id a second time gets the same answer and records nothing new.

    Parameters
    ----------
    setup : Setup
        The parsed environment.
    event : dict
        ``user_id``: who asks, any stable text. ``inference_id``, optional: the caller's own id; a retry repeats it.
    clients : AbClients
        The AWS clients.
    cache : StateCache
        The process's copy of the test's state.
    now : float
        Seconds since the epoch.

    Returns
    -------
    dict
        ``target_variant`` and ``inference_id`` for InvokeEndpoint. ``target_variant`` is null once the traffic shift
        has taken over: then leave TargetVariant out.

    Raises
    ------
    BadRequestError
        A field is missing or unusable.
    """
    user_id, inference_id = _read(event)
    plan = setup.plan
    state = cache.get(lambda: StateStore(table=setup.table, client=clients.ledger).load(plan, now), now)
    answer = {"test": plan.test, "endpoint_name": setup.endpoint_name, "inference_id": inference_id}
    if state.released_at is not None and state.released_at <= now:
        return {**answer, "target_variant": None}
    journal = Journal(plan=plan, table=setup.table, client=clients.ledger)
    inference = _assign(assignment.user_key(plan.test, user_id), inference_id, state=state, journal=journal, now=now)
    return {**answer, "target_variant": plan.variant(treated=inference.treated)}


def _assign(user: str, inference_id: str, *, state: State, journal: Journal, now: float) -> Inference:
    share = assignment.share_at(state.shares, now)
    treated = assignment.is_treated(assignment.point(user), treatment=share.treatment)
    enrolment = journal.enrol(Enrolment(user=user, treated=treated, enrolled_at=now))
    if now <= enrolment.enrolled_at + journal.plan.window_seconds:
        treated = enrolment.treated  # outcomes still count: a change of shares waits for the end of the window
    wanted = Inference(id=inference_id, user=user, treated=treated, enrolled_at=enrolment.enrolled_at)
    inference = journal.open(wanted, now=now)
    if inference.user != user:
        raise BadRequestError("inference_id must be new, or repeated for the same user")
    return inference


def _read(event: Any) -> tuple[str, str]:
    user_id = event.get("user_id") if isinstance(event, dict) else None
    if not isinstance(user_id, str) or not 1 <= len(user_id) <= USER_CHARACTERS:
        raise BadRequestError(f"user_id must be text of 1 to {USER_CHARACTERS} characters")
    inference_id = event.get("inference_id")
    if inference_id is None:
        return user_id, str(uuid.uuid4())
    if not isinstance(inference_id, str) or _INFERENCE_ID.fullmatch(inference_id) is None:
        raise BadRequestError("inference_id must be 1 to 64 printable ASCII characters, the first no space")
    return user_id, inference_id
