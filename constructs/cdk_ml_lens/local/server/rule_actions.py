"""IoT rule actions that MiniStack lacks or gets wrong: Lambda, Kinesis, Firehose, S3; with the error action."""

from __future__ import annotations

import base64
import contextvars
import json
import re
from collections.abc import Awaitable, Callable
from typing import Any

from ministack.core.responses import request_scope
from ministack.services import firehose, iot, kinesis, lambda_svc

from . import rule_roles
from .lambda_queue import Invocations

_TEMPLATE = re.compile(r"\$\{([^}]*)\}")
# (topic, payload, client id) of the message whose rules run now
_message: contextvars.ContextVar[tuple[str, bytes, str | None]] = contextvars.ContextVar(
    "message", default=("", b"", None)
)
Spec = dict[str, Any]


def install(invocations: Invocations) -> None:
    """Add the missing actions and send rule → Lambda through ``invocations``."""
    iot._RULE_ACTION_RESOURCE_KEYS.update(kinesis=("streamName",), firehose=("deliveryStreamName",), s3=("bucketName",))
    iot._run_rule_actions = _remembering(iot._run_rule_actions)
    iot._dispatch_rule_action = _dispatching(iot._dispatch_rule_action)

    def to_lambda(account_id: str, region: str, function_arn: str, event: Any) -> None:
        record, config, _ = lambda_svc._get_func_record_for_ref_in_scope(
            function_arn, account_id=account_id, region=region
        )
        if not record or not config:
            raise RuntimeError(f"Failed to invoke lambda function. {function_arn} was not found (404)")
        invocations.submit(lambda_svc._execution_record_for_config(record, config), event)

    iot._dispatch_rule_to_lambda = to_lambda


def _remembering(original: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
    """Return ``original`` with the message kept for substitution templates."""

    async def run_rule_actions(
        account_id: str, region: str, rule: Spec, payload: bytes, topic: str = "", client_id: str | None = None
    ) -> None:
        token = _message.set((topic, payload or b"", client_id))
        try:
            await original(account_id, region, rule, payload, topic, client_id)
        finally:
            _message.reset(token)

    return run_rule_actions


def _dispatching(original: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
    """Return ``original`` with our actions added; an action of neither is a failure, not a silent skip."""
    ours: dict[str, Callable[[Spec, Any], None]] = {
        "kinesis": _to_kinesis,
        "firehose": _to_firehose,
        "s3": _to_s3,
    }

    async def dispatch(account_id: str, region: str, rule_name: str, action: Spec, event: Any) -> None:
        kind = next(iter(action), "")
        rule_roles.require(account_id, region, action)
        if kind in ours:
            with request_scope(account_id, region):
                ours[kind](action[kind], event)
        elif kind in iot._RULE_ACTION_RESOURCE_KEYS:
            await original(account_id, region, rule_name, action, event)
        else:
            raise RuntimeError(f"the laptop cloud has no IoT rule action {kind!r}")

    return dispatch


def _substituted(template: str) -> str:
    """Return ``template`` with each ``${expression}`` evaluated on the message, as rule SQL does."""
    topic, payload, client_id = _message.get()
    message = iot._rule_message(payload)

    def evaluate(found: re.Match[str]) -> str:
        value = iot._eval_select_expr(found.group(1), topic, payload, message, client_id)
        if value is iot._MISSING:
            return "undefined"
        return value if isinstance(value, str) else json.dumps(value)

    return _TEMPLATE.sub(evaluate, template)


def _bytes(event: Any) -> bytes:
    return event.encode() if isinstance(event, str) else json.dumps(event).encode()


def _checked(response: tuple[int, Any, bytes], what: str) -> None:
    status, _, body = response
    if status >= 400:
        raise RuntimeError(f"{what} failed: {body.decode(errors='replace')}")


def _to_kinesis(spec: Spec, event: Any) -> None:
    key = _substituted(spec.get("partitionKey") or "${newuuid()}")
    record = {
        "StreamName": spec["streamName"],
        "PartitionKey": key,
        "Data": base64.b64encode(_bytes(event)).decode(),
    }
    _checked(kinesis._put_record(record), f"Kinesis PutRecord to {spec['streamName']}")


def _to_firehose(spec: Spec, event: Any) -> None:
    name, end = spec["deliveryStreamName"], (spec.get("separator") or "").encode()
    batch = event if spec.get("batchMode") and isinstance(event, list) else [event]
    records = [{"Data": base64.b64encode(_bytes(item) + end).decode()} for item in batch]
    response = firehose._put_record_batch({"DeliveryStreamName": name, "Records": records})
    _checked(response, f"Firehose PutRecordBatch to {name}")


def _to_s3(spec: Spec, event: Any) -> None:
    from ministack.services import s3

    bucket = spec["bucketName"]
    if bucket not in s3._buckets:
        raise RuntimeError(f"S3 PutObject to {bucket} failed: NoSuchBucket")
    firehose._put_s3_object(bucket, _substituted(spec["key"]), _bytes(event))
