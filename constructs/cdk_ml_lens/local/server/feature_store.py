"""SageMaker Feature Store: groups and their online store, in memory; the offline store is not written."""

from __future__ import annotations

import re
import threading
import time
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import unquote

from ministack.core.responses import get_account_id, get_region

from .moto_bridge import ApiError

Params = dict[str, Any]
Record = list[dict[str, Any]]
PATH = re.compile(r"^/FeatureGroup/([^/]+)$")
_SECONDS = {"Seconds": 1, "Minutes": 60, "Hours": 3600, "Days": 86400, "Weeks": 604800}


@dataclass(kw_only=True)
class _Group:
    """A feature group: what it was created with, and the newest record of each identifier."""

    arn: str
    given: Params
    created: float
    records: dict[str, tuple[float, Record, float | None]] = field(default_factory=dict)

    @property
    def types(self) -> dict[str, str]:
        return {item["FeatureName"]: item["FeatureType"] for item in self.given["FeatureDefinitions"]}

    def at(self, value: str) -> float:
        """Return an event time as seconds since 1970."""
        if self.types[self.given["EventTimeFeatureName"]] != "String":
            return float(value)
        at = datetime.fromisoformat(value)
        if at.tzinfo is None:
            raise ValueError(value)
        return at.timestamp()


class FeatureStore:
    """All groups of this server.

    Notes
    -----
    An older record never replaces a newer one in the online store:
    https://docs.aws.amazon.com/sagemaker/latest/dg/feature-store-ingest-data.html
    """

    def __init__(self) -> None:
        self._groups: dict[tuple[str, str, str], _Group] = {}
        self._lock = threading.Lock()
        self.operations = {
            "CreateFeatureGroup": self.create,
            "DescribeFeatureGroup": self.describe,
            "UpdateFeatureGroup": self.update,
            "DeleteFeatureGroup": self.delete,
        }

    def create(self, given: Params) -> Params:
        """Answer CreateFeatureGroup."""
        name = given["FeatureGroupName"]
        if _place(name) in self._groups:
            raise ApiError("ResourceInUse", f"Resource Already Exists: FeatureGroup with name {name} already exists.")
        arn = f"arn:aws:sagemaker:{get_region()}:{get_account_id()}:feature-group/{name.lower()}"
        group = _Group(arn=arn, given=given, created=time.time())
        missing = {given["RecordIdentifierFeatureName"], given["EventTimeFeatureName"]} - set(group.types)
        if missing:
            raise ApiError("ValidationException", f"FeatureDefinitions must contain {sorted(missing)}")
        self._groups[_place(name)] = group
        return {"FeatureGroupArn": arn}

    def describe(self, given: Params) -> Params:
        """Answer DescribeFeatureGroup."""
        group = self._find(given["FeatureGroupName"], "ResourceNotFound")
        shown = {key: value for key, value in group.given.items() if key != "Tags"}
        status = {"FeatureGroupStatus": "Created", "NextToken": ""}
        return {**shown, **status, "FeatureGroupArn": group.arn, "CreationTime": group.created}

    def update(self, given: Params) -> Params:
        """Answer UpdateFeatureGroup: features are added, and what is put from now on expires by the new duration."""
        group = self._find(given["FeatureGroupName"], "ResourceNotFound")
        added = given.get("FeatureAdditions") or []
        if known := sorted({item["FeatureName"] for item in added} & set(group.types)):
            raise ApiError("ValidationException", f"FeatureAdditions must be new features, got {known}")
        changed: Params = {"FeatureDefinitions": [*group.given["FeatureDefinitions"], *added]}
        if "OnlineStoreConfig" in given:
            ttl = {"TtlDuration": found} if (found := given["OnlineStoreConfig"].get("TtlDuration")) else {}
            before = group.given.get("OnlineStoreConfig") or {}
            changed["OnlineStoreConfig"] = {key: before[key] for key in before if key != "TtlDuration"} | ttl
        group.given = {**group.given, **changed}
        return {"FeatureGroupArn": group.arn}

    def delete(self, given: Params) -> Params:
        """Answer DeleteFeatureGroup."""
        self._find(given["FeatureGroupName"], "ResourceNotFound")
        del self._groups[_place(given["FeatureGroupName"])]
        return {}

    def runtime(self, method: str, path: str, body: Params, query: dict[str, Any]) -> Params:
        """Answer a call of the runtime API.

        Raises
        ------
        ApiError
            As AWS refuses it.
        """
        if path == "/BatchGetRecord":
            return self._batch(body)
        found = PATH.match(path)
        if found is None:
            raise ApiError("ValidationError", f"the laptop cloud has no Feature Store path {path}")
        name = unquote(found.group(1))
        if method == "PUT":
            return self._put(name, body)
        key = _first(query, "RecordIdentifierValueAsString")
        if method == "DELETE":
            return self._remove(name, key, _first(query, "EventTime"))
        record = self._get(name, key, query.get("FeatureName") or [])
        return {} if record is None else {"Record": record}

    def _put(self, name: str, body: Params) -> Params:
        group = self._find(name, "ResourceNotFound")
        values = {item["FeatureName"]: item["ValueAsString"] for item in body["Record"]}
        _check(group, values)
        at = group.at(values[group.given["EventTimeFeatureName"]])
        key = values[group.given["RecordIdentifierFeatureName"]]
        with self._lock:
            newest = group.records.get(key)
            if newest is None or at >= newest[0]:
                ttl = body.get("TtlDuration") or (group.given.get("OnlineStoreConfig") or {}).get("TtlDuration")
                ends = None if ttl is None else at + int(ttl["Value"]) * _SECONDS[ttl["Unit"]]
                group.records[key] = (at, body["Record"], ends)
        return {}

    def _get(self, name: str, key: str, wanted: list[str]) -> Record | None:
        group = self._find(name, "ResourceNotFound")
        found = group.records.get(key)
        if found is None or not found[1] or (found[2] is not None and found[2] <= time.time()):
            return None
        return [item for item in found[1] if not wanted or item["FeatureName"] in wanted]

    def _remove(self, name: str, key: str, event_time: str) -> Params:
        """Forget a record; what is put later with an older event time stays forgotten."""
        group = self._find(name, "ResourceNotFound")
        at = group.at(event_time)
        with self._lock:
            newest = group.records.get(key)
            if newest is None or at >= newest[0]:
                group.records[key] = (at, [], None)
        return {}

    def _batch(self, body: Params) -> Params:
        records: list[Params] = []
        for wanted in body["Identifiers"]:
            name = wanted["FeatureGroupName"]
            for key in wanted["RecordIdentifiersValueAsString"]:
                record = self._get(name, key, wanted.get("FeatureNames") or [])
                if record is not None:
                    found = {"FeatureGroupName": name, "RecordIdentifierValueAsString": key, "Record": record}
                    records.append(found)
        return {"Records": records, "Errors": [], "UnprocessedIdentifiers": []}

    def _find(self, name: str, code: str) -> _Group:
        group = self._groups.get(_place(name))
        if group is None:
            raise ApiError(code, f"Resource Not Found: FeatureGroup {name} does not exist.")
        return group


def _place(name: str) -> tuple[str, str, str]:
    return get_account_id(), get_region(), name.rsplit("/", 1)[-1].lower()


def _first(query: dict[str, Any], name: str) -> str:
    value = query.get(name) or [""]
    return str(value[0] if isinstance(value, list) else value)


def _check(group: _Group, values: dict[str, str]) -> None:
    """Raise what PutRecord answers to a record that does not fit its group."""
    unknown = sorted(set(values) - set(group.types))
    needed = {group.given["RecordIdentifierFeatureName"], group.given["EventTimeFeatureName"]}
    if unknown or not needed <= set(values):
        problem = f"unknown features {unknown}" if unknown else f"no {sorted(needed - set(values))}"
        raise ApiError("ValidationError", f"Validation Error: the record has {problem}")
    for name, value in values.items():
        try:
            if name == group.given["EventTimeFeatureName"]:
                group.at(value)
            elif group.types[name] != "String":
                int(value) if group.types[name] == "Integral" else float(value)
        except ValueError as fault:
            raise ApiError("ValidationError", f"Validation Error: feature {name} cannot be {value!r}") from fault
