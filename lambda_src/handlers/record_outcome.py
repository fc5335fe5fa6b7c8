"""Records outcomes of an A/B test from its queue or from a direct call; everything twice changes nothing."""

from __future__ import annotations

import functools
import json
import logging
import os
import time
from collections import Counter
from dataclasses import dataclass
from typing import Any

from ml_lens_runtime import ab_metrics, aws_errors, events, outcomes
from ml_lens_runtime.ab_clients import AbClients
from ml_lens_runtime.ab_journal import Journal
from ml_lens_runtime.ab_plan import Setup
from ml_lens_runtime.errors import ReadingError

logger = logging.getLogger(__name__)

DIRECT_OUTCOMES = 100  # of one direct call
_COUNTS = ("OutcomesCounted", "OutcomesLate", "OutcomesDuplicate", "OutcomesApart")


class BadOutcomesError(ValueError):
    """A direct call hands over no list of outcomes, or too many."""


@functools.cache
def _process() -> tuple[Setup, AbClients]:
    """Parse the environment and prepare the clients once per process."""
    return Setup.parse(os.environ), AbClients()


def handler(event: Any, context: Any) -> dict[str, Any]:
    """Lambda's entry point."""
    setup, clients = _process()
    return run(setup=setup, event=event, clients=clients, now=time.time(), request_id=context.aws_request_id)


def run(*, setup: Setup, event: Any, clients: AbClients, now: float, request_id: str) -> dict[str, Any]:
    """Record a batch of SQS, or the outcomes of a direct call.

    Parameters
    ----------
    setup : Setup
        The parsed environment.
    event : Any
        A batch of SQS whose bodies are outcomes; or ``{"outcomes": [...]}`` with up to 100 of them; or one outcome.
    clients : AbClients
        The AWS clients.
    now : float
        Seconds since the epoch.
    request_id : str
        Id of the invocation.

    Returns
    -------
    dict
        Lambda's partial batch response for SQS; for a direct call ``results``, one per outcome in its order, each
        with ``status`` (counted, late, duplicate, apart) and ``reason``.

    Raises
    ------
    BadOutcomesError
        A direct call hands over no list of outcomes, or too many.
    ClientError, BotoCoreError
        A direct call could not be recorded; call again with the same outcomes.
    """
    recorder = _Recorder(setup=setup, clients=clients, now=now, counts=Counter())
    messages = events.parse(event, request_id=request_id)
    if messages and messages[0].source == "direct":
        answer: dict[str, Any] = {
            "results": [recorder.record(body, id=request_id, sent_at=now) for body in _list(event)]
        }
    else:
        failed = [message.id for message in messages if not recorder.try_message(message)]
        answer = {"batchItemFailures": [{"itemIdentifier": id} for id in failed]}
    values = {name: float(recorder.counts[name]) for name in _COUNTS}
    print(ab_metrics.line(values, test=setup.plan.test, now=now))  # CloudWatch reads metrics from standard output
    return answer


def _list(event: Any) -> list[Any]:
    if not isinstance(event, dict) or "outcomes" not in event:
        return [event]
    given = event["outcomes"]
    if not isinstance(given, list) or len(given) > DIRECT_OUTCOMES:
        raise BadOutcomesError(f"outcomes must be a list of at most {DIRECT_OUTCOMES}")
    return given


@dataclass(frozen=True, kw_only=True, slots=True)
class _Recorder:
    """Records one message after the other and counts what became of them."""

    setup: Setup
    clients: AbClients
    now: float
    counts: Counter[str]

    def try_message(self, message: events.Message) -> bool:
        """Record a message of the queue; False if it has to come again."""
        try:
            self.record(message.body, id=message.id, sent_at=message.received_at / 1000 or self.now)
        except aws_errors.AWS_ERRORS as error:
            logger.warning("outcome comes again", extra={"error_code": aws_errors.code(error)})
            return False
        return True

    def record(self, body: Any, *, id: str, sent_at: float) -> dict[str, Any]:
        """Record one outcome, or keep it apart."""
        journal = Journal(plan=self.setup.plan, table=self.setup.table, client=self.clients.ledger)
        try:
            outcome = outcomes.parse(body, plan=self.setup.plan)
            status: str = outcomes.record(outcome, journal=journal, sent_at=sent_at, now=self.now)
            reason = None
        except ReadingError as fault:
            status, reason = "apart", fault.reason
            self._keep_apart(fault, body, journal=journal, id=id, sent_at=sent_at)
        self.counts[f"Outcomes{status.capitalize()}"] += 1
        return {"status": status, "reason": reason}

    def _keep_apart(self, fault: ReadingError, body: Any, *, journal: Journal, id: str, sent_at: float) -> None:
        """Send to the dead-letter queue, then remember it: a death in between doubles the letter, never loses it."""
        payload = body.decode("utf-8", "replace") if isinstance(body, bytes) else json.dumps(body)
        mark = outcomes.mark(fault, payload)
        if journal.is_apart(mark):
            return
        self.clients.queue.send_message(
            QueueUrl=self.setup.dead_letter_queue_url,
            MessageBody=outcomes.letter(fault, payload, plan=self.setup.plan, message_id=id, sent_at=sent_at),
            MessageAttributes={"reason": {"DataType": "String", "StringValue": fault.reason}},
        )
        journal.mark_apart(mark, now=self.now)
        logger.warning("outcome kept apart", extra={"reason": fault.reason})
