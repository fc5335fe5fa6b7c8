"""Acknowledgements that a template carries itself, as cdk-nag writes them: for apps that cannot add our plugin."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from typing import Any

from cdk_ml_lens.review import intrinsics
from cdk_ml_lens.review.template import Resource
from cdk_ml_lens.review.validation import Acknowledgement


def acknowledgement(resource: Resource, rule: str, detail: str | None) -> Acknowledgement | None:
    """Return what ``Metadata.cdk_nag.rules_to_suppress`` of a resource says about a finding.

    Parameters
    ----------
    resource : Resource
    rule : str
        Rule without detail: ``MlLens-SM1``. An entry may name it so, or qualified.
    detail : str or None
        Detail of the finding; an entry with ``applies_to`` is about the details that it lists.

    Returns
    -------
    Acknowledgement or None
        None where no entry fits, or none of those that fit has a reason.

    Notes
    -----
    The form is that of cdk-nag: https://github.com/cdklabs/cdk-nag#suppressing-a-rule.
    """
    for entry in _entries(resource):
        reason = _reason(entry)
        given = str(entry.get("id", ""))
        if reason and given.rpartition("::")[2] == rule and _applies(entry, detail):
            return Acknowledgement(rule=given, reason=reason, at=resource.logical_id)
    return None


def _entries(resource: Resource) -> Iterator[Mapping[str, Any]]:
    found = intrinsics.at(resource.body, "Metadata.cdk_nag.rules_to_suppress")
    yield from (entry for entry in intrinsics.each_value(found) if isinstance(entry, Mapping))


def _reason(entry: Mapping[str, Any]) -> str:
    reason = str(entry.get("reason") or "").strip()
    if entry.get("is_reason_encoded") is not True:
        return reason
    try:
        return base64.b64decode(reason, validate=True).decode()
    except ValueError:
        return reason


def _applies(entry: Mapping[str, Any], detail: str | None) -> bool:
    named = entry.get("applies_to")
    return named is None or (detail is not None and detail in intrinsics.each_value(named))
