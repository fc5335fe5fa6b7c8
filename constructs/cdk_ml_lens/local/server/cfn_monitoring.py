"""CloudFormation types of monitoring: Model Monitor's job definitions and schedules, MLflow's app and server."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from ministack.services.cloudformation import provisioners

from . import sagemaker
from .cfn_shapes import parameters, service_model
from .cfn_types import Made, Properties, register
from .job_table import kebab
from .model_groups import prefix
from .monitors import KINDS
from .moto_bridge import ApiError

SCHEDULE = "MonitoringSchedule"
# What AWS answers for an MLflow app or server; there is no MLflow behind it here.
_MLFLOW = {"MlflowApp": ("Name", "Arn"), "MlflowTrackingServer": ("TrackingServerName", "TrackingServerArn")}


def install() -> None:
    """Register the types.

    Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_SageMaker.html
    """
    for kind in KINDS:
        Kept(noun=f"{kind}JobDefinition", name="JobDefinitionName", arn="JobDefinitionArn", updates=False).register()
    Kept(noun=SCHEDULE, name=f"{SCHEDULE}Name", arn=f"{SCHEDULE}Arn", updates=True).register()
    for noun, (name, arn) in _MLFLOW.items():
        _register_mlflow(noun, name, arn)


@dataclass(frozen=True, kw_only=True)
class Kept:
    """A type whose resource SageMaker keeps under a name; the ARN is its physical id."""

    noun: str
    name: str
    arn: str
    updates: bool

    def create(self, logical_id: str, props: Properties, stack_name: str) -> Made:
        """Create the resource, under a generated name if the template gives none."""
        named = {self.name: _generated(stack_name, logical_id), **props}
        made = _call(f"Create{self.noun}", named)[self.arn]
        return made, {self.arn: made, "CreationTime": str(int(time.time()))}

    def update(self, physical_id: str, old: Properties, new: Properties, stack_name: str) -> Made:
        """Update in place what can be; of the others only the tags have changed."""
        del old, stack_name
        if self.updates:
            _call(f"Update{self.noun}", {**new, self.name: self._name(physical_id, new)})
        return physical_id, {self.arn: physical_id}

    def delete(self, physical_id: str, props: Properties) -> None:
        """Delete the resource; one that is gone already is no fault."""
        try:
            _call(f"Delete{self.noun}", {self.name: self._name(physical_id, props)})
        except ApiError as error:
            if error.code != "ResourceNotFound":
                raise ValueError(str(error)) from error

    def register(self) -> None:
        """Make it a type."""
        type_name = f"AWS::SageMaker::{self.noun}"
        register(type_name, self.create, self.update, self.delete)
        provisioners._REPLACING_PROPERTIES[type_name] = (self.name,) if self.updates else _all_but_tags(self.noun)
        provisioners._CUSTOM_NAME_REPLACEMENT[type_name] = {"name": self.name}

    def _name(self, physical_id: str, props: Properties) -> str:
        """Return the name: the template's, else the generated one, which is lower case in the ARN."""
        return str(props.get(self.name) or physical_id.split("/")[-1])


def _register_mlflow(noun: str, name: str, arn: str) -> None:
    def create(logical_id: str, props: Properties, stack_name: str) -> Made:
        named = str(props.get(name) or _generated(stack_name, logical_id))
        made = f"{prefix()}:{kebab(noun)}/{named.lower()}"
        return made, {arn: made}

    def update(physical_id: str, old: Properties, new: Properties, stack_name: str) -> Made:
        del old, new, stack_name
        return physical_id, {arn: physical_id}

    def delete(physical_id: str, props: Properties) -> None:
        del physical_id, props

    register(f"AWS::SageMaker::{noun}", create, update, delete)
    provisioners._REPLACING_PROPERTIES[f"AWS::SageMaker::{noun}"] = (name,)


def _call(operation: str, props: Properties) -> dict[str, Any]:
    answer: dict[str, Any] = sagemaker.operations()[operation](parameters("sagemaker", operation, props))
    return answer


def _generated(stack_name: str, logical_id: str) -> str:
    name: str = provisioners._physical_name(stack_name, logical_id, lowercase=True, max_len=63)
    return name


def _all_but_tags(noun: str) -> tuple[str, ...]:
    members = service_model("sagemaker").operation_model(f"Create{noun}").input_shape.members
    return tuple(member for member in members if member != "Tags")
