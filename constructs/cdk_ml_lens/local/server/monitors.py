"""SageMaker Model Monitor's job definitions and schedules: kept and shown, never run."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any

from .job_table import kebab
from .model_groups import prefix
from .moto_bridge import ApiError

Params = dict[str, Any]
KINDS = ("DataQuality", "ModelQuality", "ModelBias", "ModelExplainability")
_SHOWN = ("MonitoringScheduleName", "MonitoringScheduleArn", "MonitoringScheduleStatus", "CreationTime",
          "LastModifiedTime", "EndpointName", "MonitoringJobDefinitionName", "MonitoringType")  # fmt: skip


class Monitors:
    """The monitors of this cloud. SageMaker's analyzer containers are not here, so no schedule ever starts a job.

    Parameters
    ----------
    delete_endpoint
        Deletes an endpoint; one with a schedule is refused first, as on AWS.
    """

    def __init__(self, delete_endpoint: Callable[[Params], Params]) -> None:
        self._definitions: dict[tuple[str, str], Params] = {}
        self._schedules: dict[str, Params] = {}
        self._delete_endpoint = delete_endpoint
        self.operations: dict[str, Callable[[Params], Params]] = {
            "CreateMonitoringSchedule": self.create_schedule,
            "DescribeMonitoringSchedule": lambda params: dict(self._schedule(params)),
            "ListMonitoringSchedules": self.list_schedules,
            "UpdateMonitoringSchedule": self.update_schedule,
            "DeleteMonitoringSchedule": self.delete_schedule,
            "StartMonitoringSchedule": partial(self._set, "Scheduled"),
            "StopMonitoringSchedule": partial(self._set, "Stopped"),
            "DeleteEndpoint": self.delete_endpoint,
        }
        for kind in KINDS:
            self.operations[f"Create{kind}JobDefinition"] = partial(self.create_definition, kind)
            self.operations[f"Describe{kind}JobDefinition"] = partial(self.describe_definition, kind)
            self.operations[f"Delete{kind}JobDefinition"] = partial(self.delete_definition, kind)

    def create_definition(self, kind: str, params: Params) -> Params:
        """Keep a job definition."""
        name = params["JobDefinitionName"]
        arn = f"{prefix()}:{kebab(kind)}-job-definition/{name.lower()}"
        if (kind, name) in self._definitions:
            raise ApiError("ResourceInUse", f"Job definition {arn} already exists")
        kept = {key: item for key, item in params.items() if key != "Tags"}
        self._definitions[kind, name] = {**kept, "JobDefinitionArn": arn, "CreationTime": time.time()}
        return {"JobDefinitionArn": arn}

    def describe_definition(self, kind: str, params: Params) -> Params:
        """Return a job definition."""
        return dict(self._definition(kind, params["JobDefinitionName"]))

    def delete_definition(self, kind: str, params: Params) -> Params:
        """Delete a job definition."""
        self._definition(kind, params["JobDefinitionName"])
        del self._definitions[kind, params["JobDefinitionName"]]
        return {}

    def create_schedule(self, params: Params) -> Params:
        """Keep a schedule; the job definition that it names must exist."""
        name, config = params["MonitoringScheduleName"], params["MonitoringScheduleConfig"]
        arn = f"{prefix()}:monitoring-schedule/{name.lower()}"
        if name in self._schedules:
            raise ApiError("ResourceInUse", f"Monitoring Schedule {arn} already exists")
        now = time.time()
        self._schedules[name] = {
            "MonitoringScheduleName": name, "MonitoringScheduleArn": arn, "MonitoringScheduleStatus": "Scheduled",
            "CreationTime": now, "LastModifiedTime": now, **self._configured(config),
        }  # fmt: skip
        return {"MonitoringScheduleArn": arn}

    def update_schedule(self, params: Params) -> Params:
        """Change a schedule."""
        schedule = self._schedule(params)
        schedule.update(self._configured(params["MonitoringScheduleConfig"]), LastModifiedTime=time.time())
        return {"MonitoringScheduleArn": schedule["MonitoringScheduleArn"]}

    def list_schedules(self, params: Params) -> Params:
        """List the schedules, of one endpoint if one is named."""
        endpoint = params.get("EndpointName")
        found = [item for item in self._schedules.values() if endpoint in (None, item.get("EndpointName"))]
        summaries = [{key: item[key] for key in _SHOWN if key in item} for item in found]
        return {"MonitoringScheduleSummaries": summaries}

    def delete_schedule(self, params: Params) -> Params:
        """Delete a schedule."""
        del self._schedules[self._schedule(params)["MonitoringScheduleName"]]
        return {}

    def delete_endpoint(self, params: Params) -> Params:
        """Delete an endpoint that no schedule watches.

        Source: https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-scheduling.html
        """
        name = params["EndpointName"]
        if self.list_schedules(params)["MonitoringScheduleSummaries"]:
            raise ApiError("ValidationException", f"Cannot delete endpoint {name}: monitoring schedules are attached.")
        return self._delete_endpoint(params)

    def _set(self, status: str, params: Params) -> Params:
        self._schedule(params).update(MonitoringScheduleStatus=status, LastModifiedTime=time.time())
        return {}

    def _schedule(self, params: Params) -> Params:
        name = params["MonitoringScheduleName"]
        if name not in self._schedules:
            raise ApiError("ResourceNotFound", f"Monitoring Schedule {name} not found")
        return self._schedules[name]

    def _definition(self, kind: str, name: str) -> Params:
        if (kind, name) not in self._definitions:
            raise ApiError("ResourceNotFound", f"Job definition {name} not found")
        return self._definitions[kind, name]

    def _configured(self, config: Params) -> Params:
        """Return a configuration and what it implies: the kind and the endpoint that is watched."""
        inline = config.get("MonitoringJobDefinition")
        shown = {"MonitoringScheduleConfig": config}
        if inline is not None:
            watched = (inline.get("MonitoringInputs") or [{}])[0]
        else:
            kind, name = config.get("MonitoringType", KINDS[0]), config["MonitoringJobDefinitionName"]
            watched = self._definition(kind, name).get(f"{kind}JobInput") or {}
            shown |= {"MonitoringType": kind, "MonitoringJobDefinitionName": name}
        endpoint = (watched.get("EndpointInput") or {}).get("EndpointName")
        return {**shown, **({"EndpointName": endpoint} if endpoint else {})}
