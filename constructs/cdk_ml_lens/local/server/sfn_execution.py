"""Executions: whether the one whose state runs now was stopped, what its machine's role may do, what it gives."""

from __future__ import annotations

import contextvars
from collections.abc import Callable
from typing import Any

from ministack.services import stepfunctions
from ministack.services.cloudformation import provisioners

from . import callers

# ARN of the execution whose states run in this context
_execution: contextvars.ContextVar[str] = contextvars.ContextVar("execution", default="")


def install() -> None:
    """Remember the execution while its states run, and leave a stopped one as it is when its last state fails.

    A Succeed state gives its ``Output``, which MiniStack leaves out. Source:
    https://docs.aws.amazon.com/step-functions/latest/dg/state-succeed.html

    A machine that goes with its stack takes its executions along, as DeleteStateMachine does. Source:
    https://docs.aws.amazon.com/step-functions/latest/apireference/API_DeleteStateMachine.html
    """
    stepfunctions._run_execution = _remembered(stepfunctions._run_execution)
    stepfunctions._fail_execution = _unless_over(stepfunctions._fail_execution)
    stepfunctions._apply_input_path = _succeeding(stepfunctions._apply_input_path)
    provisioners._RESOURCE_HANDLERS["AWS::StepFunctions::StateMachine"]["delete"] = _delete


def _delete(physical_id: str, props: dict[str, Any]) -> None:
    del props
    stepfunctions._delete_state_machine({"stateMachineArn": physical_id})


def aborted() -> bool:
    """Tell whether the execution was stopped."""
    execution = stepfunctions._executions.get(_execution.get())
    return execution is not None and execution["status"] != "RUNNING"


def acting() -> tuple[str, str]:
    """Return the machine's role and the execution's name."""
    execution = stepfunctions._executions.get(_execution.get()) or {}
    machine = stepfunctions._state_machines.get(execution.get("stateMachineArn")) or {}
    return str(machine.get("roleArn", "")), str(execution.get("name", ""))


def denied(action: str, arn: str, context: dict[str, Any] | None = None) -> str | None:
    """Return who is refused ``action`` on ``arn`` when the machine acts as its role; ``None`` if nobody is."""
    role, name = acting()
    return callers.role_denied(role, name, action, arn, context)


def require(action: str, arn: str, *, service: str, context: dict[str, Any] | None = None) -> None:
    """Raise the error of a state of ``service`` whose machine's role may not do ``action``."""
    if (who := denied(action, arn, context)) is not None:
        message = f"User: {who} is not authorized to perform: {action} on resource: {arn}"
        raise stepfunctions._ExecutionError(f"{service}.AccessDeniedException", message)


def _remembered(original: Callable[[str], None]) -> Callable[[str], None]:
    def run_execution(exec_arn: str) -> None:
        _execution.set(exec_arn)
        original(exec_arn)

    return run_execution


def _unless_over(original: Callable[..., None]) -> Callable[..., None]:
    def fail_execution(execution: dict[str, Any], error: str, cause: str) -> None:
        if execution["status"] == "RUNNING":
            original(execution, error, cause)

    return fail_execution


def _succeeding(original: Callable[..., Any]) -> Callable[..., Any]:
    """Return ``original`` with the Output of a Succeed state, of which MiniStack applies the input path only."""

    def apply_input_path(state_def: dict[str, Any], data: Any, ctx: Any = None) -> Any:
        if state_def.get("Type") == "Succeed" and "Output" in state_def:
            return stepfunctions._apply_jsonata_output(state_def, data, ctx, default=data)
        return original(state_def, data, ctx)

    return apply_input_path
