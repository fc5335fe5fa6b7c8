"""Model packages: versions of a group with their approval, each change of which is an event."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from .job_table import announce
from .model_groups import ModelGroups, name_of, prefix
from .moto_bridge import ApiError

Params = dict[str, Any]
STATUSES = ("Approved", "Rejected", "PendingManualApproval")
TITLE = "SageMaker Model Package State Change"
_SUMMARY = (
    "ModelPackageName", "ModelPackageGroupName", "ModelPackageVersion", "ModelPackageArn", "ModelPackageDescription",
    "CreationTime", "ModelPackageStatus", "ModelApprovalStatus", "ModelLifeCycle",
)  # fmt: skip
_FILTERS: dict[str, Callable[[Params, Any], bool]] = {
    "ModelApprovalStatus": lambda package, status: package.get("ModelApprovalStatus") == status,
    "ModelPackageGroupName": lambda package, group: package.get("ModelPackageGroupName") == name_of(group),
    "NameContains": lambda package, part: part in package["ModelPackageArn"].split("/", 1)[1],
    "CreationTimeAfter": lambda package, moment: package["CreationTime"] > moment,
    "CreationTimeBefore": lambda package, moment: package["CreationTime"] < moment,
}


class ModelPackages:
    """The model packages of this cloud, and their groups.

    A package is complete at once: nothing validates it.
    """

    def __init__(self) -> None:
        self._packages: dict[str, Params] = {}
        self._lock = threading.RLock()
        self.groups = ModelGroups(self._held)
        self.operations: dict[str, Callable[[Params], Params]] = {
            **self.groups.operations,
            "CreateModelPackage": self.create,
            "DescribeModelPackage": self.describe,
            "ListModelPackages": self.list,
            "UpdateModelPackage": self.update,
            "DeleteModelPackage": self.delete,
        }

    def create(self, params: Params) -> Params:
        """Answer CreateModelPackage: the next version of a group, or a package of its own."""
        group, name = params.get("ModelPackageGroupName"), params.get("ModelPackageName")
        if (group is None) == (name is None):
            raise ApiError("ValidationException", "One of ModelPackageName and ModelPackageGroupName must be given.")
        _require_status(params)
        with self._lock:
            if group is not None:
                group = self.groups.existing(group)
                version = self.groups.next_version(group)
                identity = {"ModelPackageGroupName": group, "ModelPackageVersion": version}
                arn = f"{prefix()}:model-package/{group.lower()}/{version}"
                status = {"ModelApprovalStatus": "PendingManualApproval"}
            else:
                identity, status, arn = {"ModelPackageName": name}, {}, f"{prefix()}:model-package/{str(name).lower()}"
            if arn in self._packages:
                raise ApiError("ConflictException", f"Model package {arn} already exists.")
            kept = {key: item for key, item in params.items() if key not in ("Tags", "ClientToken")}
            self._packages[arn] = package = {
                "CertifyForMarketplace": False, **status, **kept, **identity, "ModelPackageArn": arn,
                "CreationTime": time.time(), "ModelPackageStatus": "Completed",
                "ModelPackageStatusDetails": {"ValidationStatuses": [], "ImageScanStatuses": []},
            }  # fmt: skip
        _announce(package)
        return {"ModelPackageArn": arn}

    def describe(self, params: Params) -> Params:
        """Answer DescribeModelPackage, by name or ARN."""
        return dict(self.existing(params["ModelPackageName"]))

    def list(self, params: Params) -> Params:
        """Answer ListModelPackages, the oldest first unless asked otherwise."""
        asked = {name: params[name] for name in _FILTERS if params.get(name) is not None}
        kind = "Versioned" if "ModelPackageGroupName" in asked else params.get("ModelPackageType", "Unversioned")
        found = [
            package
            for package in list(self._packages.values())
            if kind in ("Both", "Versioned" if "ModelPackageVersion" in package else "Unversioned")
            and all(_FILTERS[name](package, value) for name, value in asked.items())
        ]
        found.sort(key=_order(params.get("SortBy")), reverse=params.get("SortOrder") == "Descending")
        first = int(params.get("NextToken") or 0)
        last = first + int(params.get("MaxResults") or 100)
        more = {"NextToken": str(last)} if last < len(found) else {}
        return {"ModelPackageSummaryList": [_picked(item, _SUMMARY) for item in found[first:last]], **more}

    def update(self, params: Params) -> Params:
        """Answer UpdateModelPackage; metadata is merged, a new approval status is an event."""
        _require_status(params)
        with self._lock:
            package = self.existing(params["ModelPackageArn"])
            if "ModelApprovalStatus" in params and "ModelPackageVersion" not in package:
                raise ApiError("ValidationException", "Only versions of a group have an approval status.")
            before = package.get("ModelApprovalStatus")
            package.update(_picked(params, ("ModelApprovalStatus", "ApprovalDescription", "InferenceSpecification")))
            package["CustomerMetadataProperties"] = _merged(package, params)
            package.setdefault("AdditionalInferenceSpecifications", []).extend(
                params.get("AdditionalInferenceSpecificationsToAdd") or []
            )
            package["LastModifiedTime"] = time.time()
        if package.get("ModelApprovalStatus") != before:
            _announce(package)
        return {"ModelPackageArn": package["ModelPackageArn"]}

    def delete(self, params: Params) -> Params:
        """Answer DeleteModelPackage."""
        package = self.existing(params["ModelPackageName"])
        del self._packages[package["ModelPackageArn"]]
        _announce({**package, "ModelPackageStatus": "Deleting"})
        return {}

    def existing(self, given: str) -> Params:
        """Return a package by name or ARN.

        Raises
        ------
        ApiError
            If there is none.
        """
        arn = given if given.startswith("arn:") else f"{prefix()}:model-package/{given.lower()}"
        if arn not in self._packages:
            raise ApiError("ValidationException", f"ModelPackage {arn} does not exist.")
        return self._packages[arn]

    def _held(self, group: str) -> int:
        return sum(package.get("ModelPackageGroupName") == group for package in self._packages.values())


def _require_status(params: Params) -> None:
    status = params.get("ModelApprovalStatus")
    if status is not None and status not in STATUSES:
        raise ApiError("ValidationException", f"ModelApprovalStatus must be one of {', '.join(STATUSES)}, got {status}")


def _merged(package: Params, params: Params) -> dict[str, str]:
    removed = params.get("CustomerMetadataPropertiesToRemove") or []
    kept = {**package.get("CustomerMetadataProperties", {}), **(params.get("CustomerMetadataProperties") or {})}
    return {name: value for name, value in kept.items() if name not in removed}


def _order(by: str | None) -> Callable[[Params], Any]:
    return lambda package: package["ModelPackageArn"] if by == "Name" else package["CreationTime"]


def _picked(given: Params, names: Sequence[str]) -> Params:
    return {name: given[name] for name in names if name in given}


def _announce(package: Params) -> None:
    """Send the event of a package; its times are texts, as in AWS's example.

    Source: https://docs.aws.amazon.com/sagemaker/latest/dg/automating-sagemaker-with-eventbridge.html
    """
    moments: Params = {
        name: datetime.fromtimestamp(package[name], UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        for name in ("CreationTime", "LastModifiedTime")
        if name in package
    }
    announce(TITLE, package["ModelPackageArn"], {**package, **moments})
