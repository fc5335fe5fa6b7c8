"""Model packages of one group: may this version be deployed now, and who approved it?"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

_DAY = 86_400
_NUMBER = re.compile(r".+:model-package/([^/]+)/(\d+)")


class VersionMissingError(RuntimeError):
    """There is no such version; it may have been deleted since its approval."""


class NotApprovedError(RuntimeError):
    """The version is pending or rejected."""


class ApprovalExpiredError(RuntimeError):
    """The version is older than its registry's policy allows."""


class SupersededError(RuntimeError):
    """A newer version is approved; reject that one to go back to this one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Version:
    """A model package as a deployment sees it."""

    arn: str
    status: str
    created_at: float
    approver: str
    manifest: str | None


def describe(arn: str, *, sagemaker: Any) -> Version:
    """Return a version by its ARN.

    Raises
    ------
    VersionMissingError
        SageMaker AI knows none.
    """
    try:
        found = sagemaker.describe_model_package(ModelPackageName=arn)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ValidationException":
            raise
        raise VersionMissingError(error.response["Error"]["Message"]) from None
    metadata: Mapping[str, str] = found.get("CustomerMetadataProperties", {})
    return Version(
        arn=arn,
        status=str(found.get("ModelApprovalStatus", "")),
        created_at=found["CreationTime"].timestamp(),
        approver=_approver(found),
        manifest=metadata.get("manifest"),
    )


def check(version: Version, *, group: str, expire_days: int | None, now: float, sagemaker: Any) -> None:
    """Raise an error that says why a version must not be deployed, or return.

    Parameters
    ----------
    version : Version
        The version.
    group : str
        Name or ARN of its model package group.
    expire_days : int, optional
        Age at which it expires, in days.
    now : float
        Seconds since the epoch.
    sagemaker : client
        boto3 client of SageMaker AI.
    """
    if version.status != "Approved":
        raise NotApprovedError(f"{version.arn} is {version.status}, not Approved")
    age = (now - version.created_at) / _DAY
    if expire_days is not None and age > expire_days:
        raise ApprovalExpiredError(f"{version.arn} was registered {age:.1f} days ago, the limit is {expire_days}")
    pages = sagemaker.get_paginator("list_model_packages").paginate(
        ModelPackageGroupName=group, ModelApprovalStatus="Approved"
    )
    arns = [item["ModelPackageArn"] for page in pages for item in page["ModelPackageSummaryList"]]
    newest = max(arns, key=number, default=version.arn)
    if number(newest) > number(version.arn):
        raise SupersededError(f"{newest} is newer and approved; reject it to go back to {version.arn}")


def number(arn: str) -> int:
    """Return the version number within the group, 0 for a package that has none."""
    found = _NUMBER.fullmatch(arn)
    return 0 if found is None else int(found.group(2))


def _approver(found: Mapping[str, Any]) -> str:
    """Return who changed the version last: approving is the last change before a deployment."""
    for member in ("LastModifiedBy", "CreatedBy"):
        who = found.get(member, {})
        name = who.get("IamIdentity", {}).get("Arn") or who.get("UserProfileArn")
        if name:
            return str(name)
    return str(found.get("ApprovalDescription") or "unknown")
