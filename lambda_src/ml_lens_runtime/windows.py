"""Gives every task of a batch the features of its device's window, a fault, or a cause to come again."""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from ml_lens_runtime import aws_errors
from ml_lens_runtime.clients import Clients
from ml_lens_runtime.env import Settings
from ml_lens_runtime.errors import ReadingError
from ml_lens_runtime.feature_definition import DefinitionError, FeatureSet
from ml_lens_runtime.invocation import Invocation
from ml_lens_runtime.normalisation import Parameters
from ml_lens_runtime.tasks import Task
from ml_lens_runtime.window_env import WindowSettings
from ml_lens_runtime.window_features import Features
from ml_lens_runtime.window_store import WindowStore, assess

logger = logging.getLogger(__name__)

SHARE = 0.6  # of the function's time has to be left for another device: scores and effects come after the windows
_AT_ONCE = 8  # devices; each waits for DynamoDB nearly all the time, and a client keeps ten connections


def prepare(tasks: Sequence[Task], *, settings: Settings, clients: Clients, invocation: Invocation) -> list[Task]:
    """Compute the features of tasks from the windows of their devices and return those that can be scored.

    Without a feature set, these are all. One device whose window cannot be reached does not hold up the others.
    """
    if settings.windows is None or not tasks:
        return list(tasks)
    try:
        parameters = load_parameters(settings.windows, clients=clients)
    except (*aws_errors.AWS_ERRORS, DefinitionError) as error:
        _return(tasks, _cause(error))
        return []
    keep = settings.windows.definition.seconds_of_use + settings.ledger_hours * 3600
    store = WindowStore(
        client=clients.window, table=settings.windows.table, expires=lambda: int(invocation.now()) + keep
    )
    work = _Work(store=store, definition=settings.windows.definition, parameters=parameters, invocation=invocation)
    with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
        list(pool.map(work.of_device, _by_device(tasks)))
    return [task for task in tasks if task.values is not None]


def _by_device(tasks: Sequence[Task]) -> list[list[Task]]:
    devices: dict[str, list[Task]] = {}
    for task in tasks:
        devices.setdefault(task.device_id, []).append(task)
    return list(devices.values())


@dataclass(frozen=True, kw_only=True)
class _Work:
    """What the windows of one batch have in common."""

    store: WindowStore
    definition: FeatureSet
    parameters: Parameters
    invocation: Invocation

    def of_device(self, part: Sequence[Task]) -> None:
        """Give the tasks of one device their features, faults or cause."""
        if not self.invocation.may_go_on(share=SHARE):
            _return(part, "window: no time left")
            return
        observed = [task.observed for task in part if task.observed is not None]
        try:
            outcomes = assess(observed, store=self.store, definition=self.definition, parameters=self.parameters)
        except aws_errors.AWS_ERRORS as error:
            _return(part, _cause(error))
        else:
            for task, outcome in zip(part, outcomes, strict=True):
                _note(task, outcome, names=self.definition.names)


def load_parameters(windows: WindowSettings, *, clients: Clients) -> Parameters:
    """Return the normalisation parameters, read once per process.

    Raises
    ------
    DefinitionError
        The object holds no parameters that fit the feature set.
    """
    if windows.bucket is None:
        return Parameters()
    if clients.parameters is None:
        answer = clients.artifacts.get_object(Bucket=windows.bucket, Key=windows.key)
        text = answer["Body"].read().decode("utf-8", "replace")
        clients.parameters = Parameters.parse(text, definition=windows.definition)
    return clients.parameters


def _note(task: Task, outcome: Features | ReadingError, *, names: Sequence[str]) -> None:
    if isinstance(outcome, ReadingError):
        task.fault = outcome
        return
    missing = [name for name, value in zip(names, outcome, strict=True) if value is None]
    values = tuple(value for value in outcome if value is not None)
    if missing:
        task.fault = ReadingError("missing_feature", f"no value for {', '.join(missing)}")
    elif not all(map(math.isfinite, values)):
        task.fault = ReadingError("not_finite", "the window holds a value too large to compute with")
    else:
        task.values = values


def _cause(error: Exception) -> str:
    return f"window: {error}" if isinstance(error, DefinitionError) else aws_errors.cause(error, where="window")


def _return(part: Sequence[Task], cause: str) -> None:
    logger.error("window not available", extra={"cause": cause, "readings": len(part)})
    for task in part:
        task.cause = cause
