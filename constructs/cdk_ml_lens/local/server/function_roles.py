"""With enforcement on, what Lambda does as a function's role: write its logs, read its source, send what failed.

Sources: https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html,
https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html#events-sqs-permissions,
https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-create.html#events-kinesis-permissions,
https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html#invocation-async-destinations
"""

from __future__ import annotations

from typing import Any

from ministack.core.responses import get_account_id, get_region
from ministack.services import lambda_svc

from . import callers

Record = dict[str, Any]
PAUSE_SECONDS = 0.2  # before Lambda asks again
_LOGGING = ("logs:CreateLogStream", "logs:PutLogEvents")
_POLLING = {
    "sqs": ("sqs:ReceiveMessage", "sqs:GetQueueAttributes", "sqs:DeleteMessage"),
    "kinesis": (
        "kinesis:DescribeStream", "kinesis:DescribeStreamSummary", "kinesis:ListShards", "kinesis:GetShardIterator",
        "kinesis:GetRecords",
    ),
}  # fmt: skip
_SENDING = {"sqs": "sqs:SendMessage", "sns": "sns:Publish", "lambda": "lambda:InvokeFunction"}


def install() -> None:
    """Ask the role of a function before its output becomes log events."""
    original = lambda_svc._emit_lambda_logs

    def emit(func: Record, *rest: Any, **options: Any) -> None:
        config = func.get("config") or func
        group = (config.get("LoggingConfig") or {}).get("LogGroup") or f"/aws/lambda/{config.get('FunctionName')}"
        arn = f"arn:aws:logs:{get_region()}:{get_account_id()}:log-group:{group}:log-stream:new"
        if allowed(config, _LOGGING, arn):
            original(func, *rest, **options)

    lambda_svc._emit_lambda_logs = emit


def may_poll(function: Record, source: str) -> bool:
    """Tell whether an event source mapping may read ``source`` (ARN) as the function's role, and remove what is done.

    Lambda asks at each step; here the answer to all of them decides whether a batch is read.
    """
    return allowed(function.get("config") or function, _POLLING[source.split(":")[2]], source)


def may_send(function: Record, destination: str) -> bool:
    """Tell whether the function's role may send what failed to ``destination`` (ARN)."""
    action = _SENDING.get(destination.split(":")[2])
    return action is None or allowed(function.get("config") or function, (action,), destination)


def allowed(config: Record, actions: tuple[str, ...], arn: str) -> bool:
    """Tell whether the role of a function's configuration may do all of ``actions``; what it may not is logged."""
    role, name = config.get("Role") or "", config.get("FunctionName") or ""
    for action in actions:
        if who := callers.role_denied(role, name, action, arn):
            lambda_svc.logger.warning("AccessDenied: %s may not do %s on %s", who, action, arn)
            return False
    return True
