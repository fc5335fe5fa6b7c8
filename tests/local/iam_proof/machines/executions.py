"""Runs deployed state machines: every call as deployed, waits and retries cut, refusals looked for in the history."""

from __future__ import annotations

import json
import re
import time
from typing import Any

from cdk_ml_lens.local import LaptopCloud
from tests.local.iam_proof.harness import Refused

POLL_SECONDS = 0.05
LONGEST_SECONDS = 90
SIGNS = ("AccessDenied", "not authorized to perform")
ACTION = re.compile(r"not authorized to perform: [\w-]+:\w+")


class Machine:
    """One deployed state machine, from now on without long waits and without retries."""

    def __init__(self, cloud: LaptopCloud, arn: str) -> None:
        self.arn = arn
        self._states = cloud.client("stepfunctions")
        definition = json.loads(self._states.describe_state_machine(stateMachineArn=arn)["definition"])
        self._states.update_state_machine(stateMachineArn=arn, definition=json.dumps(hurried(definition)))

    def run(self, *ends: str, **request: Any) -> dict[str, Any]:
        """Run once to the end.

        Parameters
        ----------
        ends
            Statuses or errors that are expected. Default: ``SUCCEEDED``.
        request
            The input.

        Raises
        ------
        Refused
            If IAM refused the machine something, whether or not it went on.
        AssertionError
            If it ends otherwise than expected.
        """
        execution = self.start(**request)
        ended = self.ended(execution)
        self.check(execution)
        found = ended.get("error") if ended["status"] == "FAILED" else ended["status"]
        assert found in (ends or ("SUCCEEDED",)), (ended["status"], ended.get("error"), ended.get("cause"))
        return ended

    def start(self, **request: Any) -> str:
        """Start an execution and return its ARN."""
        return str(self._states.start_execution(stateMachineArn=self.arn, input=json.dumps(request))["executionArn"])

    def ended(self, execution: str) -> dict[str, Any]:
        """Wait for the end of an execution and return its description."""
        deadline = time.monotonic() + LONGEST_SECONDS
        while time.monotonic() < deadline:
            described: dict[str, Any] = self._states.describe_execution(executionArn=execution)
            if described["status"] != "RUNNING":
                return described
            time.sleep(POLL_SECONDS)
        raise AssertionError(f"{execution} still runs: {self.events(execution)[-3:]}")

    def stop(self, execution: str) -> None:
        """Stop an execution."""
        self._states.stop_execution(executionArn=execution)

    def check(self, execution: str) -> None:
        """Raise `Refused` if a task of the execution failed because IAM refused it."""
        for event in self.events(execution):
            failed = event.get("taskFailedEventDetails", {})
            check(f"{failed.get('error', '')}: {failed.get('cause', '')}")

    def events(self, execution: str) -> list[dict[str, Any]]:
        """Return the history."""
        pages = self._states.get_paginator("get_execution_history").paginate(executionArn=execution)
        return [event for page in pages for event in page["events"]]


def hurried(node: Any) -> Any:
    """Return a definition whose waits last a second and whose tasks are tried once."""
    if isinstance(node, list):
        return [hurried(item) for item in node]
    if not isinstance(node, dict):
        return node
    short = {"Seconds": 1} if node.get("Type") == "Wait" else {}
    return {**{name: hurried(value) for name, value in node.items() if name != "Retry"}, **short}


def check(text: str) -> None:
    """Raise `Refused` if a text speaks of a refusal; it says which error and which action."""
    if any(sign in text for sign in SIGNS):
        found = ACTION.search(text)
        raise Refused(f"{text.partition(':')[0]}: {text[:200] if found is None else found[0]}")
