"""Lifecycle rules of a bucket as the rules see them: what expires, and where."""

from __future__ import annotations

from typing import Any

from cdk_ml_lens.review import intrinsics
from cdk_ml_lens.review.template import Resource

_EXPIRES = ("ExpirationInDays", "ExpirationDate")


def expires(bucket: Resource, uri: Any) -> bool:
    """Tell whether a rule lets objects below ``s3://bucket/prefix`` expire, or could: what is not known counts."""
    prefix = intrinsics.text(uri).removeprefix("s3://").partition("/")[2]
    rules = bucket.each("LifecycleConfiguration.Rules")
    return any(_covers(rule, prefix) for rule in rules if intrinsics.at(rule, "Status") != "Disabled")


def _covers(rule: Any, prefix: str) -> bool:
    if intrinsics.intrinsic(rule) is not None:
        return True
    if not any(name in rule for name in _EXPIRES):
        return False
    given = rule.get("Prefix", intrinsics.at(rule, "Filter.Prefix", ""))
    return not isinstance(given, str) or prefix.startswith(given)
