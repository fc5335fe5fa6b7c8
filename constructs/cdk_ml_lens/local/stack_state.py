"""What a CloudFormation stack of the laptop cloud is doing: status, events, waiting, failures."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

WAIT_SECONDS = 600.0
POLL_SECONDS = 0.1
NO_CHANGES = ("didn't contain changes", "No updates are to be performed")


@dataclass(frozen=True, kw_only=True)
class Failure:
    """One resource that CloudFormation could not make, change or delete."""

    logical_id: str
    resource_type: str
    reason: str


class DeployError(RuntimeError):
    """A stack operation failed.

    Attributes
    ----------
    status : str
        The stack's status afterwards.
    failures : tuple of Failure
        The failing resources, first cause first.
    """

    def __init__(self, stack_name: str, status: str, failures: tuple[Failure, ...], reason: str = "") -> None:
        self.status = status
        self.failures = failures
        lines = [f"  {item.logical_id} ({item.resource_type}): {item.reason}" for item in failures]
        super().__init__("\n".join([f"stack {stack_name} is {status}{reason and ': ' + reason}", *lines]))


def change_set_ready(cloudformation: Any, stack_name: str, name: str) -> bool:
    """Wait for a change set; whether it has any change.

    Raises
    ------
    DeployError
        If CloudFormation refuses the template.
    """
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        described = cloudformation.describe_change_set(StackName=stack_name, ChangeSetName=name)
        if described["Status"] == "CREATE_COMPLETE":
            return True
        if described["Status"] == "FAILED":
            reason = described.get("StatusReason", "")
            if any(text in reason for text in NO_CHANGES):
                return False
            raise DeployError(stack_name, "FAILED", (), f"change set: {reason}")
        time.sleep(POLL_SECONDS)
    raise DeployError(stack_name, "UNKNOWN", (), "the change set was not ready in time")


def wait(cloudformation: Any, stack_id: str, stack_name: str, seen: frozenset[str], *, good: tuple[str, ...]) -> None:
    """Wait until the stack is at rest; events in ``seen`` belong to earlier operations.

    Raises
    ------
    DeployError
        If its status is not in ``good`` then.
    """
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        stack = find(cloudformation, stack_id)
        status = "DELETE_COMPLETE" if stack is None else stack["StackStatus"]
        if not status.endswith("_IN_PROGRESS"):
            if status not in good:
                reason = "" if stack is None else stack.get("StackStatusReason", "")
                raise DeployError(stack_name, status, _failures(cloudformation, stack_id, seen), reason)
            return
        time.sleep(POLL_SECONDS)
    raise DeployError(stack_name, "UNKNOWN", (), f"no end within {WAIT_SECONDS:.0f} s")


def find(cloudformation: Any, name: str) -> dict[str, Any] | None:
    """Return the stack called ``name``, or with that id; ``None`` if there is none."""
    try:
        found: dict[str, Any] = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
    except ClientError as error:
        if "does not exist" in str(error):
            return None
        raise
    return found


def events(cloudformation: Any, stack_id: str) -> dict[str, dict[str, Any]]:
    """Return every event of a stack by its id, newest first."""
    pages = cloudformation.get_paginator("describe_stack_events").paginate(StackName=stack_id)
    return {event["EventId"]: event for page in pages for event in page["StackEvents"]}


def _failures(cloudformation: Any, stack_id: str, seen: frozenset[str]) -> tuple[Failure, ...]:
    new = [event for key, event in events(cloudformation, stack_id).items() if key not in seen]
    return tuple(
        Failure(
            logical_id=event["LogicalResourceId"],
            resource_type=event["ResourceType"],
            reason=event.get("ResourceStatusReason", "no reason given"),
        )
        for event in reversed(new)
        if event["ResourceStatus"].endswith("_FAILED") and event["ResourceType"] != "AWS::CloudFormation::Stack"
    )
