"""Sends a document to the queue, topic or function that an ARN names, within the server."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import Any

from ministack.services import lambda_svc, sns, sqs

logger = logging.getLogger("laptop_cloud")
Submit = Callable[[dict[str, Any], Any], None]


def send(arn: str, document: Any, *, submit: Submit) -> None:
    """Send ``document`` as JSON to ``arn``; ``submit`` queues an asynchronous invocation.

    What cannot be delivered is logged: the sender has nobody left to tell, as on AWS.
    """
    senders: dict[str, Callable[[], object]] = {
        "sqs": lambda: _to_queue(arn, document),
        "sns": lambda: sns.publish_internal(arn, json.dumps(document)),
        "lambda": lambda: _to_function(arn, document, submit),
    }
    sender = senders.get(arn.split(":")[2])
    try:
        if sender is None or sender() is None:
            logger.warning("nothing delivered to %s: no such queue, topic or function", arn)
    except Exception:
        logger.exception("nothing delivered to %s", arn)


def _to_queue(arn: str, document: Any) -> object:
    if sqs._queue_by_arn(arn) is None:
        return None
    sent: object = sqs._act_send_message({"MessageBody": json.dumps(document)}, sqs._queue_url(arn.split(":")[-1]))
    return sent


def _to_function(arn: str, document: Any, submit: Submit) -> object:
    record, config, _ = lambda_svc._get_func_record_for_ref(arn)
    if not record or not config:
        return None
    submit(lambda_svc._execution_record_for_config(record, config), document)
    return arn
