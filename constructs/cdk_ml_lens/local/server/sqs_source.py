"""Lambda's SQS event source as AWS has it: batches over 10, a batching window, a bound on concurrency."""

from __future__ import annotations

import threading
import time
from typing import Any

from ministack.core.concurrency import esm_wake
from ministack.services import lambda_svc, sqs

from . import function_roles
from .lambda_queue import Invocations

POLLED_AT_ONCE = 10  # without a window, Lambda hands over what one ReceiveMessage gives
PAYLOAD_BYTES = 6 * 1024 * 1024  # Lambda's limit for an event
RECORD_OVERHEAD_BYTES = 1024


class _Gatherer:
    """Decides when a queue's messages make a batch: the batch is full, or the window is over."""

    def __init__(self) -> None:
        self._opened: dict[str, float] = {}

    def receive(self, queue_url: str, max_number: int) -> list[dict[str, Any]]:
        """Return the next batch of a queue, or nothing while its window is open."""
        with sqs._queues_lock:
            queue = sqs._get_q(queue_url)
            sqs._expire_retained(queue)
            sqs._dlq_sweep(queue)
            window = _window(queue)
            limit = int(max_number) if window > 0 else min(int(max_number), POLLED_AT_ONCE)
            count = _fitting(queue, limit)
            if count == 0 or not self._due(queue_url, count >= limit, window):
                return []
            batch: list[dict[str, Any]] = sqs._collect_msgs(
                queue, count, int(queue["attributes"].get("VisibilityTimeout", "30"))
            )
            return batch

    def _due(self, queue_url: str, full: bool, window: float) -> bool:
        opened = self._opened.setdefault(queue_url, time.monotonic())
        left = opened + window - time.monotonic()
        if full or left <= 0:
            del self._opened[queue_url]
            return True
        timer = threading.Timer(left, esm_wake.set)
        timer.daemon = True
        timer.start()
        return False


def install(invocations: Invocations) -> None:
    """Replace how batches are gathered, and let them share the slots of ``invocations``."""
    original_concurrency, original_run = lambda_svc._sqs_esm_concurrency, lambda_svc._run_sqs_batch

    def concurrency(esm: Any, func_rec: Any, config: Any, queue: Any = None) -> int:
        if not function_roles.may_poll(func_rec, esm["EventSourceArn"]):
            return 0
        return min(int(original_concurrency(esm, func_rec, config, queue)), invocations.workers)

    def run_batch(*arguments: Any) -> None:
        with invocations.slots:
            original_run(*arguments)

    sqs._receive_messages_for_esm = _Gatherer().receive
    lambda_svc._sqs_esm_concurrency = concurrency
    lambda_svc._run_sqs_batch = run_batch


def _window(queue: dict[str, Any]) -> float:
    arn = queue["attributes"].get("QueueArn")
    windows = [
        float(esm.get("MaximumBatchingWindowInSeconds") or 0)
        for _, _, esm in lambda_svc._iter_all_esms()
        if esm.get("EventSourceArn") == arn
    ]
    return max(windows, default=0.0)


def _fitting(queue: dict[str, Any], limit: int) -> int:
    """Return how many visible messages, up to ``limit``, fit in one event."""
    now, count, size = time.time(), 0, 0
    for message in queue["messages"]:
        if count == limit:
            break
        if message.get("visible_at", 0) > now:
            continue
        size += len(message["body"]) + RECORD_OVERHEAD_BYTES
        if size > PAYLOAD_BYTES:
            break
        count += 1
    return count
