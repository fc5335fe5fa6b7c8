"""Model package groups: names, resource policies, and the number of the next version."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

from ministack.core.responses import get_account_id, get_region

from .moto_bridge import ApiError

Params = dict[str, Any]
_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")


def prefix() -> str:
    """Return how the ARNs of this account and region begin."""
    return f"arn:aws:sagemaker:{get_region()}:{get_account_id()}"


def name_of(given: str) -> str:
    """Return the name of a group that is named or given as ARN."""
    return given.rsplit("/", 1)[-1]


class ModelGroups:
    """The model package groups of this cloud.

    Parameters
    ----------
    held
        Tells how many packages a group holds.
    """

    def __init__(self, held: Callable[[str], int]) -> None:
        self._held = held
        self._groups: dict[str, Params] = {}
        self._policies: dict[str, str] = {}
        self._versions: dict[str, int] = {}
        self.operations: dict[str, Callable[[Params], Params]] = {
            "CreateModelPackageGroup": self.create,
            "DescribeModelPackageGroup": self.describe,
            "ListModelPackageGroups": self.list,
            "DeleteModelPackageGroup": self.delete,
            "PutModelPackageGroupPolicy": self.put_policy,
            "GetModelPackageGroupPolicy": self.get_policy,
            "DeleteModelPackageGroupPolicy": self.delete_policy,
        }

    def create(self, params: Params) -> Params:
        """Answer CreateModelPackageGroup."""
        name = params["ModelPackageGroupName"]
        arn = f"{prefix()}:model-package-group/{name.lower()}"
        if not _NAME.fullmatch(name):
            raise ApiError("ValidationException", f"ModelPackageGroupName must have letters, digits and -, got {name}")
        if name in self._groups:
            raise ApiError("ValidationException", f"Model Package Group already exists: {arn}")
        kept = {key: item for key, item in params.items() if key != "Tags"}
        made: Params = {
            "ModelPackageGroupArn": arn,
            "ModelPackageGroupStatus": "Completed",
            "CreationTime": time.time(),
        }
        self._groups[name] = {**kept, **made, "CreatedBy": {}}
        return {"ModelPackageGroupArn": arn}

    def describe(self, params: Params) -> Params:
        """Answer DescribeModelPackageGroup."""
        return dict(self._groups[self.existing(params["ModelPackageGroupName"])])

    def list(self, params: Params) -> Params:
        """Answer ListModelPackageGroups, all on one page."""
        part = params.get("NameContains", "")
        found = [group for name, group in self._groups.items() if part in name]
        return {"ModelPackageGroupSummaryList": [_without(group, "CreatedBy") for group in found]}

    def delete(self, params: Params) -> Params:
        """Answer DeleteModelPackageGroup; a group that holds packages stays."""
        name = self.existing(params["ModelPackageGroupName"])
        if self._held(name):
            raise ApiError("ConflictException", f"Model Package Group {name} still contains Model Packages.")
        del self._groups[name]
        self._policies.pop(name, None)
        return {}

    def put_policy(self, params: Params) -> Params:
        """Answer PutModelPackageGroupPolicy."""
        name = self.existing(params["ModelPackageGroupName"])
        self._policies[name] = params["ResourcePolicy"]
        return {"ModelPackageGroupArn": self._groups[name]["ModelPackageGroupArn"]}

    def get_policy(self, params: Params) -> Params:
        """Answer GetModelPackageGroupPolicy."""
        name = self.existing(params["ModelPackageGroupName"])
        if name not in self._policies:
            raise ApiError("ValidationException", f"Cannot find resource policy for: {name}")
        return {"ResourcePolicy": self._policies[name]}

    def delete_policy(self, params: Params) -> Params:
        """Answer DeleteModelPackageGroupPolicy."""
        self._policies.pop(self.existing(params["ModelPackageGroupName"]), None)
        return {}

    def existing(self, given: str) -> str:
        """Return the name of a group that exists.

        Raises
        ------
        ApiError
            If it does not.
        """
        name = name_of(given)
        if name not in self._groups:
            arn = f"{prefix()}:model-package-group/{name.lower()}"
            raise ApiError("ValidationException", f"Could not find: ModelPackageGroup {arn} does not exist.")
        return name

    def next_version(self, name: str) -> int:
        """Return the number of a new version; one is never given twice."""
        self._versions[name] = self._versions.get(name, 0) + 1
        return self._versions[name]


def _without(group: Params, name: str) -> Params:
    return {key: item for key, item in group.items() if key != name}
