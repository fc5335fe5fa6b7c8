"""Redrive: looks into a dead-letter queue of the scorer and puts what can be repaired back into the rule's queue."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

BATCH = 10
HOLD_SECONDS = 300
"""How long a message that was looked at stays invisible; what is not moved is released before."""

NEVER_HANDLED = "never_handled"
RULE_FAILED = "rule_failed"
UNREADABLE = "unreadable"
TRUNCATED = "truncated"
LEFT = (UNREADABLE, TRUNCATED)


@dataclass(frozen=True, kw_only=True)
class Letter:
    """One dead letter.

    Parameters
    ----------
    reason
        The scorer's; or `NEVER_HANDLED` (SQS moved it after too many deliveries), `RULE_FAILED` (the rule's action
        failed), `UNREADABLE`, `TRUNCATED`.
    body
        What the scorer can take again; None where there is nothing.
    receipt
        Receipt handle of the message.
    """

    reason: str
    body: str | None
    receipt: str


@dataclass(frozen=True, kw_only=True)
class Redrive:
    """What to move.

    Parameters
    ----------
    dead_letters, to
        URLs of the dead-letter queue and of the queue that the scorer reads.
    reasons
        Only letters with these reasons. Default: all that can be moved.
    send
        Move; otherwise only look. Default: True.
    """

    dead_letters: str
    to: str
    reasons: frozenset[str] | None = None
    send: bool = True

    def wants(self, letter: Letter) -> bool:
        """Tell whether a letter is to be moved."""
        return letter.body is not None and (self.reasons is None or letter.reason in self.reasons)


@dataclass(kw_only=True)
class Outcome:
    """Letters by reason: those that were moved, or would be; and those that stay."""

    moving: Counter[str] = field(default_factory=Counter)
    staying: Counter[str] = field(default_factory=Counter)

    @property
    def moved(self) -> int:
        """Return how many letters were moved, or would be."""
        return self.moving.total()


def redrive(sqs: Any, request: Redrive) -> Outcome:
    """Go through the dead-letter queue once.

    A letter is deleted only when the other queue has taken it. A death in between leaves it in both, and the ledger
    takes the second for the duplicate that it is.

    Parameters
    ----------
    sqs
        boto3 client of SQS.
    request
        What to move.
    """
    outcome, kept = Outcome(), list[Letter]()
    for part in _letters(sqs, request.dead_letters):
        wanted = [letter for letter in part if request.wants(letter)]
        sent = _send(sqs, request, wanted) if request.send else []
        taken = {letter.receipt for letter in (sent if request.send else wanted)}
        for letter in part:
            (outcome.moving if letter.receipt in taken else outcome.staying)[letter.reason] += 1
        gone = {letter.receipt for letter in sent}
        kept += [letter for letter in part if letter.receipt not in gone]
    _release(sqs, request.dead_letters, kept)
    return outcome


def read(body: str, *, receipt: str) -> Letter:
    """Tell what a message of a dead-letter queue is, and make of it what the scorer takes."""
    try:
        document = json.loads(body)
    except ValueError:
        return Letter(reason=UNREADABLE, body=None, receipt=receipt)
    if not isinstance(document, dict):
        return Letter(reason=UNREADABLE, body=None, receipt=receipt)
    if document.get("payload_truncated"):
        return Letter(reason=TRUNCATED, body=None, receipt=receipt)
    if "base64OriginalPayload" in document:
        return Letter(reason=RULE_FAILED, body=_from_rule(document), receipt=receipt)
    return Letter(reason=str(document.get("reason", NEVER_HANDLED)), body=body, receipt=receipt)


def _from_rule(document: dict[str, Any]) -> str | None:
    """Make a rule's output of the document that its error action wrote.

    Source: https://docs.aws.amazon.com/iot/latest/developerguide/rule-error-handling.html
    """
    levels = str(document.get("topic", "")).split("/")
    if len(levels) < 2:
        return None
    record = {"payload": document["base64OriginalPayload"], "device_id": levels[-2]}
    return json.dumps(record | {"trace_id": document.get("cloudwatchTraceId")})


def _letters(sqs: Any, url: str) -> Iterator[list[Letter]]:
    while True:
        answer = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=BATCH, VisibilityTimeout=HOLD_SECONDS)
        messages = answer.get("Messages", [])
        if not messages:
            return
        yield [read(message["Body"], receipt=message["ReceiptHandle"]) for message in messages]


def _send(sqs: Any, request: Redrive, wanted: Sequence[Letter]) -> list[Letter]:
    """Send letters, delete those that were taken, and return them."""
    sent: list[Letter] = []
    for letter in wanted:  # one at a time: ten dead letters may be larger than a batch
        sqs.send_message(QueueUrl=request.to, MessageBody=letter.body)
        sqs.delete_message(QueueUrl=request.dead_letters, ReceiptHandle=letter.receipt)
        sent.append(letter)
    return sent


def _release(sqs: Any, url: str, letters: Sequence[Letter]) -> None:
    for at in range(0, len(letters), BATCH):
        entries = [
            {"Id": str(number), "ReceiptHandle": letter.receipt, "VisibilityTimeout": 0}
            for number, letter in enumerate(letters[at : at + BATCH])
        ]
        sqs.change_message_visibility_batch(QueueUrl=url, Entries=entries)
