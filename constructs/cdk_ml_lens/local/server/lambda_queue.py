"""Lambda's asynchronous invocation: a queue with few workers, retries, then the failure destination."""

from __future__ import annotations

import contextvars
import json
import queue
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from ministack.services import eventbridge, lambda_svc

from . import destinations, function_roles

MAX_RETRIES = 2  # AWS's default for MaximumRetryAttempts
MAX_AGE_SECONDS = 21_600  # AWS's default for MaximumEventAgeInSeconds
THROTTLE_DELAY_SECONDS = 0.2
Record = dict[str, Any]


@dataclass(kw_only=True)
class _Invocation:
    """One event on its way to a function."""

    record: Record
    event: Any
    request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    started: float = field(default_factory=time.time)
    attempts: int = 0

    @property
    def config(self) -> Record:
        found: Record = self.record.get("event_invoke_config") or {}
        return found or (self.record.get("event_invoke_configs") or {}).get("$LATEST") or {}

    @property
    def age(self) -> float:
        return time.time() - self.started


class Invocations:
    """The queue of asynchronous invocations and the slots that all event-driven invocations share.

    Parameters
    ----------
    workers
        How many invocations run at a time; the rest waits.
    retry_delays
        Seconds before each retry; the last one is repeated.
    """

    def __init__(self, *, workers: int, retry_delays: tuple[float, ...]) -> None:
        self.workers = workers
        self.slots = threading.BoundedSemaphore(workers)
        self._retry_delays = retry_delays
        self._waiting: queue.SimpleQueue[_Invocation] = queue.SimpleQueue()
        for number in range(workers):
            threading.Thread(target=self._work, name=f"lambda-async-{number}", daemon=True).start()

    def submit(self, record: Record, event: Any) -> None:
        """Queue ``event`` for the function of ``record`` and return at once."""
        self._waiting.put(_Invocation(record=record, event=event))

    def execute(self, record: Record, event: Any) -> Record:
        """Invoke now, when a slot is free; for event source mappings."""
        with self.slots:
            result: Record = lambda_svc._execute_function_with_config_scope(record, event)
        return result

    def _work(self) -> None:
        while True:
            invocation = self._waiting.get()
            try:
                context = contextvars.Context()
                context.run(self._settle, invocation, self.execute(invocation.record, invocation.event))
            except Exception:
                lambda_svc.logger.exception("asynchronous invocation failed outside the function")

    def _settle(self, invocation: _Invocation, result: Record) -> None:
        if not result.get("error"):
            return
        throttled = bool(result.get("throttle"))
        invocation.attempts += 0 if throttled else 1
        delay = THROTTLE_DELAY_SECONDS if throttled else self._delay(invocation.attempts)
        condition = _exhausted(invocation, delay)
        if condition is None:
            _later(delay, lambda: self._waiting.put(invocation))
            return
        lambda_svc._run_with_function_config_scope(
            invocation.record, _route_failure, self, invocation, result, condition
        )

    def _delay(self, attempts: int) -> float:
        return self._retry_delays[min(attempts, len(self._retry_delays)) - 1]


def install(*, workers: int, retry_delays: tuple[float, ...]) -> Invocations:
    """Route MiniStack's asynchronous invocations through one queue and return it."""
    invocations = Invocations(workers=workers, retry_delays=retry_delays)
    lambda_svc.invoke_async_with_retry = invocations.submit

    def dispatch_to_lambda(arn: str, payload: str) -> None:
        record, config, name = lambda_svc._get_func_record_for_ref(arn)
        if not record or not config:
            lambda_svc.logger.warning("EventBridge target %s does not exist", name)
            return
        invocations.submit(lambda_svc._execution_record_for_config(record, config), json.loads(payload))

    eventbridge._dispatch_to_lambda = dispatch_to_lambda
    return invocations


def _later(delay: float, call: Callable[[], None]) -> None:
    timer = threading.Timer(delay, call)
    timer.daemon = True
    timer.start()


def _exhausted(invocation: _Invocation, delay: float) -> str | None:
    retries = invocation.config.get("MaximumRetryAttempts")
    if invocation.attempts > (MAX_RETRIES if retries is None else int(retries)):
        return "RetriesExhausted"
    oldest = int(invocation.config.get("MaximumEventAgeInSeconds") or MAX_AGE_SECONDS)
    return "EventAgeExceeded" if invocation.age + delay > oldest else None


def _route_failure(owner: Invocations, invocation: _Invocation, result: Record, condition: str) -> None:
    config = invocation.record.get("config") or invocation.record
    lambda_svc.logger.warning("%s: %s, event given up", config.get("FunctionName"), condition)
    on_failure = (invocation.config.get("DestinationConfig") or {}).get("OnFailure") or {}
    target = on_failure.get("Destination") or (config.get("DeadLetterConfig") or {}).get("TargetArn")
    if target and not function_roles.may_send(invocation.record, target):
        return
    if target := on_failure.get("Destination"):
        document = _failure_document(invocation, result, condition)
        destinations.send(target, document, submit=owner.submit)
    elif target := (config.get("DeadLetterConfig") or {}).get("TargetArn"):
        destinations.send(target, invocation.event, submit=owner.submit)


def _failure_document(invocation: _Invocation, result: Record, condition: str) -> Record:
    """Return AWS's invocation record for a failure destination."""
    config = invocation.record.get("config") or invocation.record
    version = config.get("Version", "$LATEST")
    return {
        "version": "1.0",
        "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "requestContext": {
            "requestId": invocation.request_id,
            "functionArn": f"{config.get('FunctionArn', '')}:{version}",
            "condition": condition,
            "approximateInvokeCount": invocation.attempts,
        },
        "requestPayload": invocation.event,
        "responseContext": {"statusCode": 200, "executedVersion": version, "functionError": "Unhandled"},
        "responsePayload": result.get("body"),
    }
