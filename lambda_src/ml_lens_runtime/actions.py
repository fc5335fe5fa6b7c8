"""What happens on an anomaly: notify, command the device, start a state machine, call a function."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Sequence

from botocore.exceptions import ClientError

from ml_lens_runtime import aws_errors
from ml_lens_runtime.clients import Clients
from ml_lens_runtime.env import Action, Settings
from ml_lens_runtime.errors import ConfigurationError
from ml_lens_runtime.invocation import Invocation
from ml_lens_runtime.rule_record import is_device_id
from ml_lens_runtime.tasks import Task

logger = logging.getLogger(__name__)

RESERVE_SHARE = 0.1  # of the function's time; actions that would start later are left to the next delivery


def waiting(tasks: Sequence[Task], *, settings: Settings) -> list[Task]:
    """Return the anomalies with an action that is not yet done."""
    return [
        task
        for task in tasks
        if task.prediction is not None
        and task.prediction.anomaly
        and any(_effect(action) not in task.effects for action in settings.actions)
    ]


def perform(tasks: Sequence[Task], *, settings: Settings, clients: Clients, invocation: Invocation) -> None:
    """Do every action that is not yet done for every anomaly; a failing one does not stop the others."""
    for task in tasks:
        if task.prediction is None or not task.prediction.anomaly:
            continue
        for action in settings.actions:
            if _effect(action) in task.effects:
                continue
            if not invocation.may_go_on(share=RESERVE_SHARE):
                task.cause = f"action {action.name}: no time left"
                continue
            _one(action, task, clients=clients)


def _effect(action: Action) -> str:
    return f"action:{action.name}"


def _one(action: Action, task: Task, *, clients: Clients) -> None:
    try:
        SENDERS[action.kind](action.target, task, clients)
    except (*aws_errors.AWS_ERRORS, ConfigurationError) as error:
        task.cause = aws_errors.cause(error, where=f"action {action.name}")
        logger.error("action failed", extra={"action": action.name, "error_code": aws_errors.code(error)})
    else:
        task.effects.add(_effect(action))


def _alert(task: Task) -> str:
    return "" if task.prediction is None else task.prediction.alert()


def _notify(topic_arn: str, task: Task, clients: Clients) -> None:
    clients.notify.publish(
        TopicArn=topic_arn,
        Subject=f"Anomaly: {task.device_id}"[:99],
        Message=_alert(task),
        MessageAttributes={"device_id": {"DataType": "String", "StringValue": task.device_id}},
    )


def command_topic(template: str, device_id: str) -> str:
    """Return a device's own command topic.

    Raises
    ------
    ConfigurationError
        The id is no thing name, so it could reach another device's topic.
    """
    if not is_device_id(device_id):
        raise ConfigurationError("device_id is no thing name")
    return template.replace("{device_id}", device_id)


def _command(template: str, task: Task, clients: Clients) -> None:
    topic = command_topic(template, task.device_id)
    clients.command.publish(topic=topic, qos=1, payload=_alert(task).encode("ascii"))


def _state_machine(arn: str, task: Task, clients: Clients) -> None:
    name = hashlib.sha256(task.key.encode("utf-8")).hexdigest()
    try:
        clients.state_machine.start_execution(stateMachineArn=arn, name=name, input=_alert(task))
    except ClientError as error:
        if aws_errors.code(error) != "ExecutionAlreadyExists":
            raise


def _function(arn: str, task: Task, clients: Clients) -> None:
    clients.function.invoke(FunctionName=arn, InvocationType="Event", Payload=_alert(task).encode("ascii"))


SENDERS: dict[str, Callable[[str, Task, Clients], None]] = {
    "notify": _notify,
    "command": _command,
    "state_machine": _state_machine,
    "function": _function,
}
