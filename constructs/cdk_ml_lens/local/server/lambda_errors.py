"""Gives a failed Python handler's answer the name of its exception, as Lambda does; MiniStack says HandlerError."""

from __future__ import annotations

import re
from typing import Any

from ministack.services import lambda_svc

STOCK = "Runtime.HandlerError"
EXITED = "Runtime.ExitError"
_DIED = "Worker process died"  # MiniStack's words
_EXCEPTION = re.compile(r"(?:[\w<>]+\.)*(\w+)(?:: (.*))?")  # a class of a function is module.function.<locals>.Name


def install() -> None:
    """Name the errors of warm workers.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/python-exceptions.html
    """
    original = lambda_svc._execute_function_warm

    def execute(func: dict[str, Any], event: Any, request_id: str) -> dict[str, Any]:
        result: dict[str, Any] = original(func, event, request_id)
        body = result.get("body")
        if result.get("error") and isinstance(body, dict) and body.get("errorType") == STOCK:
            body |= _named(str(body.get("errorMessage", "")), str(result.get("log", "")), request_id)
        return result

    lambda_svc._execute_function_warm = execute


def _named(message: str, log: str, request_id: str) -> dict[str, str]:
    if message == _DIED:
        reason = f"RequestId: {request_id} Error: Runtime exited without providing a reason"
        return {"errorType": EXITED, "errorMessage": reason}
    return {"errorType": exception_name(log, message)}


def exception_name(log: str, message: str) -> str:
    """Return the class of the exception that ended a handler: the last line of its traceback that has its message."""
    first = message.split("\n", 1)[0]
    if "Traceback (most recent call last):" in log:
        for line in reversed(log.splitlines()):
            found = _EXCEPTION.fullmatch(line.lstrip(" |"))  # the bars of an exception group
            if found is not None and (found.group(2) or "") == first:
                return found.group(1)
    return STOCK
