"""Ways to see that IAM stopped something: an answer, a log, a message that does not come."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from typing import Any

from cdk_ml_lens.local import LaptopCloud
from tests.local.iam_proof.harness import Refused, Work
from tests.local.support import stack_resources

WAIT_SECONDS = 20
_REFUSED = re.compile(r"AccessDenied: (\S+) may not do (\S+) on")


def invoked(cloud: LaptopCloud, function: str, event: Any) -> Any:
    """Invoke a function and return its answer.

    Raises
    ------
    Refused
        If the cloud's log says that the function was refused something: its own log names no more than a code.
    AssertionError
        If the function fails otherwise.
    """
    before = cloud.log.stat().st_size
    answer = cloud.client("lambda").invoke(FunctionName=function, Payload=json.dumps(event).encode())
    body = answer["Payload"].read().decode()
    refused = [action for action in refusals(cloud, before, function) if not action.startswith("logs:")]  # see `logged`
    if refused:
        raise Refused(f"AccessDenied: {refused[0]}; the answer: {body}")
    assert "FunctionError" not in answer, body
    return json.loads(body)


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


def polled(cloud: LaptopCloud, function: str, send: Callable[[], Callable[[], bool]]) -> Work:
    """Return the work of an event source mapping: what ``send`` puts into the source is handled.

    Parameters
    ----------
    cloud
        Its log tells what the mapping is refused.
    function
        Name of the function.
    send
        Sends something of its own and returns how to see that it was handled.

    Raises
    ------
    Refused
        By the work, if the mapping may not read the source.
    """

    def work() -> None:
        before = cloud.log.stat().st_size
        handled = send()
        for _ in range(WAIT_SECONDS * 20):
            if refused := refusals(cloud, before, function):
                raise Refused(f"AccessDenied: {refused[0]}; nothing is handled")
            if handled():
                return
            time.sleep(0.05)
        raise AssertionError(f"not handled within {WAIT_SECONDS} s")

    return work


def arrived(cloud: LaptopCloud, queue: str, marker: str) -> bool:
    """Tell whether a message with a text is in a queue; takes out what is there."""
    sqs, found = cloud.client("sqs"), False
    while messages := sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages"):
        for message in messages:
            found |= marker in message["Body"]
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    return found


def physical(cloud: LaptopCloud, stack: str, logical_id: str) -> str:
    """Return the name of the one resource of a stack whose logical id begins so, up to a hash."""
    pattern = re.compile(rf"{logical_id}(?:[0-9A-F]{{8}})?")
    (name,) = [found for id, (_, found) in stack_resources(cloud, stack).items() if pattern.fullmatch(id)]
    return name


def started_anew(cloud: LaptopCloud, function: str) -> None:
    """Let the next invocation find a new process: nothing cached."""
    client = cloud.client("lambda")
    memory = client.get_function_configuration(FunctionName=function)["MemorySize"]
    client.update_function_configuration(FunctionName=function, MemorySize=memory + 1)


def refusals(cloud: LaptopCloud, before: int, who: str) -> list[str]:
    """Return the actions that IAM refused to sessions with a name since the log had ``before`` bytes."""
    with cloud.log.open("rb") as log:
        log.seek(before)
        lines = log.read().decode()
    return [action for session, action in _REFUSED.findall(lines) if session.endswith(f"/{who}")]


_SIGNS = ("AccessDenied", "not authorized to perform")


def check(text: str) -> None:
    """Raise `Refused` if a text speaks of a refusal; it holds the beginning."""
    place = min((at for sign in _SIGNS if (at := text.find(sign)) >= 0), default=-1)
    if place >= 0:
        raise Refused(text[place : place + 300])
