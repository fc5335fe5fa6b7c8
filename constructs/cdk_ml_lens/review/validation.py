"""Reads validation-report.json of a cloud assembly: what cdk-nag and other plugins found, and what was acknowledged."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from cdk_ml_lens.review.rule import Severity

FILE = "validation-report.json"
_RULE = re.compile(r"(?P<name>[^\[]+)(?:\[(?P<detail>.*)\])?", re.DOTALL)
_MILD = ("warning", "info", "low", "medium")


@dataclass(frozen=True, kw_only=True)
class Acknowledgement:
    """Somebody's word that a finding is right where it is.

    Parameters
    ----------
    rule : str
        Id as it was given: ``AwsSolutions::AwsSolutions-S1``, or without the pack.
    reason : str
    at : str
        Construct path that has it: that of the finding, or one above.
    line : str, optional
        File and line of the source that gave it. Default: nobody noted it.
    """

    rule: str
    reason: str
    at: str
    line: str | None = None


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """One finding of a plugin on one construct.

    Parameters
    ----------
    pack : str
        Plugin: ``AwsSolutions``.
    rule : str
        Rule without detail: ``AwsSolutions-IAM5``.
    detail : str, optional
        What tells findings of one rule apart: ``Resource::*``.
    severity : Severity
    message, fix : str
        ``fix`` is empty where the plugin gives none.
    path : str
        Construct path; empty where the plugin gives none.
    file, logical_id : str, optional
        Template, relative to its assembly, and resource, where the plugin says so.
    acknowledgement : Acknowledgement, optional
        Default: the finding is open.
    """

    pack: str
    rule: str
    detail: str | None
    severity: Severity
    message: str
    fix: str
    path: str
    file: str | None
    logical_id: str | None
    acknowledgement: Acknowledgement | None


def verdicts(report: Any) -> Iterator[Verdict]:
    """Yield what the plugins found, open findings before acknowledged ones, plugin by plugin.

    Parameters
    ----------
    report : object
        The parsed file; None, and whatever else is no report, has no findings.
    """
    for plugin in _each(report, "pluginReports"):
        pack = _name(plugin)
        for violation in (*_each(plugin, "violations"), *_each(plugin, "suppressedViolations")):
            for construct in _each(violation, "violatingConstructs") or [{}]:
                yield _verdict(pack, violation, construct)


def packs(report: Any) -> list[str]:
    """Return the plugins of a report; one that found nothing is not in it."""
    return [_name(plugin) for plugin in _each(report, "pluginReports")]


def base(rule: str) -> str:
    """Return a rule without pack and detail: ``IAM5`` of ``AwsSolutions::AwsSolutions-IAM5[Resource::*]``."""
    name = split(rule)[0].rpartition("::")[2]
    return name.rpartition("-")[2]


def split(rule: str) -> tuple[str, str | None]:
    """Return name and detail of a rule as plugins write it."""
    found = _RULE.fullmatch(rule)
    return (rule, None) if found is None else (found["name"], found["detail"])


def _verdict(pack: str, violation: Mapping[str, Any], construct: Mapping[str, Any]) -> Verdict:
    rule, detail = split(str(violation.get("ruleName", "")))
    resource = construct.get("cloudFormationResource") or {}
    file = resource.get("templatePath")
    return Verdict(
        pack=pack,
        rule=rule,
        detail=detail,
        severity=Severity.WARNING if str(violation.get("severity")).lower() in _MILD else Severity.ERROR,
        message=str(violation.get("description", "")),
        fix=str(violation.get("suggestedFix") or ""),
        path=str(construct.get("constructPath") or ""),
        file=None if file is None else PurePath(file).as_posix(),
        logical_id=resource.get("logicalId"),
        acknowledgement=_acknowledgement(violation),
    )


def _acknowledgement(violation: Mapping[str, Any]) -> Acknowledgement | None:
    if "acknowledgedId" not in violation and "reason" not in violation:
        return None
    given = violation.get("acknowledgedId") or violation.get("ruleName", "")
    at = str(violation.get("acknowledgedAt") or "")
    return Acknowledgement(rule=str(given), reason=str(violation.get("reason") or ""), at=at)


def _name(plugin: Mapping[str, Any]) -> str:
    return str(plugin.get("pluginName", "unnamed plugin"))


def _each(value: Any, key: str) -> list[Any]:
    items = value.get(key) if isinstance(value, Mapping) else None
    return [item for item in items if isinstance(item, Mapping)] if isinstance(items, list) else []
