"""What AWS ended or closed, as a template can show it: resource types, properties, calls of state machines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Any

from cdk_ml_lens.review import jobs
from cdk_ml_lens.review.rule import Finding
from cdk_ml_lens.review.template import Template


class State(StrEnum):
    """Where a service or feature is in its life; what is open to everyone is not in the table."""

    ENDED = "ended"
    CLOSED = "closed to new customers"


@dataclass(frozen=True, kw_only=True)
class Lifecycle:
    """One service or feature that a new system must not use.

    Parameters
    ----------
    key : str
        Detail of its findings, without spaces: ``ModelMonitor``.
    name : str
    state : State
    since : str
        Date of the state, ISO, or the year or month where AWS names no day.
    replacement : str
    source : str
        Page that says so.
    types : tuple of str, optional
        CloudFormation types, ``*`` allowed: ``AWS::IoTEvents::*``. Default: none.
    features : tuple of str, optional
        ``where path`` or ``where path=value``, where is a type or a call: ``AWS::Glue::Job Command.Name=glueray``.
        Lists on the path are walked. Default: none.
    calls : tuple of str, optional
        ``service:operation`` of a Step Functions integration, ``*`` allowed. Default: none.
    """

    key: str
    name: str
    state: State
    since: str
    replacement: str
    source: str
    types: tuple[str, ...] = ()
    features: tuple[str, ...] = ()
    calls: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class _Use:
    """A resource, or a call that a resource's definition makes, with its settings."""

    logical_id: str
    kind: str
    body: Any
    state: str | None = None


def uses(template: Template, entries: Sequence[Lifecycle]) -> Iterator[Finding]:
    """Yield a finding for each use of what is in the table, by resource, then by call."""
    found = (*_resources(template), *_calls(template))
    kinds = {use.kind for use in found}
    concerned = {kind: [entry for entry in entries if _may_match(entry, kind)] for kind in kinds}
    for use in found:
        for entry in concerned[use.kind]:
            if _matches(entry, use):
                yield _finding(entry, use)


def _resources(template: Template) -> Iterator[_Use]:
    for resource in template.resources.values():
        yield _Use(logical_id=resource.logical_id, kind=resource.type, body=resource.properties)


def _calls(template: Template) -> Iterator[_Use]:
    for job in jobs.of(template):
        kind = f"{job.service}:{job.operation}"
        yield _Use(logical_id=job.owner.logical_id, kind=kind, body=job.arguments, state=job.name)


def _may_match(entry: Lifecycle, kind: str) -> bool:
    named = any(fnmatchcase(kind, pattern) for pattern in (*entry.types, *entry.calls))
    return named or any(feature.startswith(f"{kind} ") for feature in entry.features)


def _matches(entry: Lifecycle, use: _Use) -> bool:
    if any(fnmatchcase(use.kind, pattern) for pattern in (*entry.types, *entry.calls)):
        return True
    return any(_has(feature, use) for feature in entry.features)


def _has(feature: str, use: _Use) -> bool:
    where, _, what = feature.partition(" ")
    path, _, wanted = what.partition("=")
    if where != use.kind:
        return False
    return any(value == wanted if wanted else value is not None for value in _at(use.body, path.split(".")))


def _at(value: Any, path: list[str]) -> Iterator[Any]:
    if isinstance(value, list):
        for item in value:
            yield from _at(item, path)
    elif not path:
        yield value
    elif isinstance(value, Mapping) and path[0] in value:
        yield from _at(value[path[0]], path[1:])


def _finding(entry: Lifecycle, use: _Use) -> Finding:
    place = use.kind if use.state is None else f"{use.state} calls {use.kind}"
    return Finding(
        logical_id=use.logical_id,
        message=f"{place}: {entry.name} {entry.state} ({entry.since}); use {entry.replacement}. {entry.source}",
        detail=entry.key if use.state is None else f"{entry.key}::{use.state}",
    )
