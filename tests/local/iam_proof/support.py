"""Ways to see that IAM stopped something: an answer, a log, a message that does not come."""

from __future__ import annotations

import json
from typing import Any

from cdk_ml_lens.local import LaptopCloud
from tests.local.iam_proof.harness import Refused, Work

_SIGNS = ("AccessDenied", "not authorized to perform", "UnauthorizedOperation")


def answered(cloud: LaptopCloud, function: str, event: Any) -> Any:
    """Invoke a function and return its answer.

    Raises
    ------
    Refused
        If the answer speaks of a refusal.
    AssertionError
        If the function fails otherwise.
    """
    answer = cloud.client("lambda").invoke(FunctionName=function, Payload=json.dumps(event).encode())
    text = answer["Payload"].read().decode()
    check(text)
    assert "FunctionError" not in answer, text
    return json.loads(text)


def logged(cloud: LaptopCloud, function: str, event: Any) -> Work:
    """Return the work of writing a log: an invocation with ``event`` must leave a new log stream.

    Raises
    ------
    Refused
        By the work, if there is none.
    """
    logs = cloud.client("logs")
    group = cloud.client("lambda").get_function_configuration(FunctionName=function)["LoggingConfig"]["LogGroup"]

    def streams() -> int:
        pages = logs.get_paginator("describe_log_streams").paginate(logGroupName=group)
        return sum(len(page["logStreams"]) for page in pages)

    def work() -> None:
        before = streams()
        cloud.client("lambda").invoke(FunctionName=function, Payload=json.dumps(event).encode())
        if streams() == before:
            raise Refused("the invocation left no log stream")

    return work


def logging(cloud: LaptopCloud, function: str, event: Any) -> dict[str, Work]:
    """Return the work of each action of `core.function` on the log group."""
    work = logged(cloud, function, event)
    return {"logs:CreateLogStream": work, "logs:PutLogEvents": work}


def started_anew(cloud: LaptopCloud, function: str) -> None:
    """Let the next invocation find a new process: nothing cached."""
    client = cloud.client("lambda")
    memory = client.get_function_configuration(FunctionName=function)["MemorySize"]
    client.update_function_configuration(FunctionName=function, MemorySize=memory + 1)


def check(text: str) -> None:
    """Raise `Refused` if a text speaks of a refusal; it holds the first sentence about it."""
    place = min((at for sign in _SIGNS if (at := text.find(sign)) >= 0), default=-1)
    if place >= 0:
        raise Refused(text[place : place + 300])
