"""What became of an inference: read a message, and count it once, note it as late, or keep it apart with its reason."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import dataclass
from typing import Any, Literal

from ml_lens_runtime import strict_json
from ml_lens_runtime.ab_journal import Journal
from ml_lens_runtime.ab_plan import Plan
from ml_lens_runtime.errors import ReadingError, snippet

# A recorder that started before a cohort closed has ended (time-out: 60 s) and the index has followed, this much later.
SETTLE_SECONDS = 120.0
_LEAST = 1e-100  # a number of DynamoDB is 0 or at least 1E-130
_ID_CHARACTERS = 64  # https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html

Status = Literal["counted", "late", "duplicate", "apart"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """One reported value of an inference."""

    inference_id: str
    value: float


class OutcomeError(ReadingError):
    """An outcome that is kept apart; `reason` says why."""


def parse(body: Any, *, plan: Plan) -> Outcome:
    """Read one message.

    Parameters
    ----------
    body : bytes or decoded JSON
        ``{"inference_id": "...", "value": 1}``; a conversion may also be given as true or false.
    plan : Plan
        Bounds of the value.

    Raises
    ------
    ReadingError
        bad_encoding, not_json, not_an_object, missing_field, wrong_type, not_finite, out_of_range.
    """
    given = strict_json.loads(body) if isinstance(body, bytes) else body
    if not isinstance(given, dict):
        raise OutcomeError("not_an_object", f"an outcome is an object, got {snippet(given)}")
    absent = {"inference_id", "value"} - set(given)
    if absent:
        raise OutcomeError("missing_field", ", ".join(sorted(absent)))
    inference_id = given["inference_id"]
    if not isinstance(inference_id, str) or not 1 <= len(inference_id) <= _ID_CHARACTERS:
        raise OutcomeError("wrong_type", f"inference_id is text of 1 to {_ID_CHARACTERS}, got {snippet(inference_id)}")
    return Outcome(inference_id=inference_id, value=_value(given["value"], plan=plan))


def _value(value: Any, *, plan: Plan) -> float:
    if isinstance(value, bool) and plan.binary:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise OutcomeError("wrong_type", f"value is a number, got {snippet(value)}")
    if not _finite(value):
        raise OutcomeError("not_finite", f"value is finite, got {snippet(value)}")
    if not plan.minimum <= value <= plan.maximum:
        raise OutcomeError("out_of_range", f"value is in {plan.minimum} to {plan.maximum}, got {snippet(value)}")
    if plan.binary and value not in (0, 1):
        raise OutcomeError("out_of_range", f"a conversion is 0 or 1, got {snippet(value)}")
    return float(value)


def _finite(value: float) -> bool:
    """Tell whether a number is finite, and none that DynamoDB refuses for being too small."""
    try:
        return math.isfinite(value) and (value == 0 or abs(value) >= _LEAST)
    except OverflowError:  # an integer beyond the largest float
        return False


def record(outcome: Outcome, *, journal: Journal, sent_at: float, now: float) -> Status:
    """Write one outcome; a second time changes nothing.

    An outcome counts if it was sent in its user's window and is processed before the user's cohort closes.

    Parameters
    ----------
    outcome : Outcome
        What was reported.
    journal : Journal
        The records of the test.
    sent_at, now : float
        When it was handed in, and the time; seconds since the epoch.

    Returns
    -------
    str
        ``counted``, ``late`` or ``duplicate``.

    Raises
    ------
    OutcomeError
        ``unknown_inference`` or ``conflicting_outcome``: another value than the one that is recorded.
    """
    inference = journal.find(outcome.inference_id)
    if inference is None:
        raise OutcomeError("unknown_inference", "never assigned by this test, or long forgotten")
    if inference.outcome is None:
        plan = journal.plan
        in_window = sent_at <= inference.enrolled_at + plan.window_seconds
        if in_window and now < plan.closes_at(plan.cohort(inference.enrolled_at)):
            status: Status = "counted"
            written = journal.count(inference, outcome.value)
        else:
            status, written = "late", journal.note_late(inference, outcome.value)
        if written:
            return status
        inference = journal.find(outcome.inference_id)  # somebody was quicker
    if inference is not None and inference.outcome != outcome.value:
        raise OutcomeError("conflicting_outcome", f"recorded is {inference.outcome!r}, got {outcome.value!r}")
    return "duplicate"


def mark(fault: ReadingError, payload: str) -> str:
    """Return the name under which a message that is kept apart is remembered."""
    return hashlib.sha256(f"{fault.reason}\n{payload}".encode("utf-8", "surrogatepass")).hexdigest()


def letter(fault: ReadingError, payload: str, *, plan: Plan, message_id: str, sent_at: float) -> str:
    """Return the dead-letter message: reason, detail and the whole payload."""
    return json.dumps(
        {
            "reason": fault.reason,
            "detail": fault.detail,
            "test": plan.test,
            "message_id": message_id,
            "sent_at": sent_at,
            "payload": payload,
        }
    )
