"""CloudFormation types that MiniStack lacks and our stacks use, each made by the API call it stands for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ministack.services import cloudwatch
from ministack.services.cloudformation import provisioners, stacks

from . import moto_bridge, sagemaker
from .cfn_shapes import parameters, service_model

Properties = dict[str, Any]
Made = tuple[str, dict[str, Any]]  # physical id, attributes
LOADING = ("AWS::SageMaker::Endpoint", "AWS::SageMaker::InferenceComponent")  # they wait for a model
_SCALING = "AWS::ApplicationAutoScaling::"
_SCALED = ("ResourceId", "ScalableDimension", "ServiceNamespace")


@dataclass(frozen=True, kw_only=True)
class Named:
    """A SageMaker type whose resource has a name that CloudFormation may generate.

    Parameters
    ----------
    noun
        What Create… and Delete… are called on; the name's property is ``<noun>Name``.
    replaces
        Properties whose change needs a new resource. ``None``: all but the tags.
    """

    noun: str
    replaces: tuple[str, ...] | None = None

    @property
    def name(self) -> str:
        """Return the property that holds the name."""
        return f"{self.noun}Name"

    def create(self, logical_id: str, props: Properties, stack_name: str) -> Made:
        """Create the resource, under a generated name if the template gives none."""
        wanted = {self.name: provisioners._physical_name(stack_name, logical_id, max_len=63), **props}
        answer = _sagemaker(f"Create{self.noun}", wanted)
        arn = answer[f"{self.noun}Arn"]
        if self.noun == "Endpoint":
            try:
                _await_endpoint(wanted)
            except ValueError:
                self.delete(arn, wanted)  # CloudFormation knows no physical id yet, so nobody else would
                raise
        return arn, {self.name: wanted[self.name]}

    def update(self, physical_id: str, old: Properties, new: Properties, stack_name: str) -> Made:
        """Update in place; only endpoints can, all else is replaced or has new tags only."""
        del stack_name
        name = physical_id.split("/")[-1]
        if self.noun == "Endpoint" and _untagged(old) != _untagged(new):
            wanted = {**new, self.name: name}
            _sagemaker("UpdateEndpoint", _untagged(wanted))
            _await_endpoint(wanted)
        return physical_id, {self.name: name}

    def delete(self, physical_id: str, props: Properties) -> None:
        """Delete the resource; one that is gone already is no fault."""
        del props
        try:
            _sagemaker(f"Delete{self.noun}", {self.name: physical_id.split("/")[-1]})
        except moto_bridge.ApiError as error:
            if "Could not find" not in str(error):
                raise


NAMED = (
    Named(noun="Model"),
    Named(noun="EndpointConfig"),
    Named(noun="Endpoint", replaces=("EndpointName",)),
    Named(noun="InferenceComponent"),
)


def install() -> None:
    """Register the types."""
    for kind in NAMED:
        register(f"AWS::SageMaker::{kind.noun}", kind.create, kind.update, kind.delete)
        type_name = f"AWS::SageMaker::{kind.noun}"
        provisioners._REPLACING_PROPERTIES[type_name] = kind.replaces or _all_but_tags(kind.noun)
        provisioners._CUSTOM_NAME_REPLACEMENT[type_name] = {"name": kind.name}
    register(f"{_SCALING}ScalableTarget", _target_create, _target_update, _target_delete)
    provisioners._REPLACING_PROPERTIES[f"{_SCALING}ScalableTarget"] = _SCALED
    register(f"{_SCALING}ScalingPolicy", _policy_create, _policy_update, _policy_delete)
    provisioners._REPLACING_PROPERTIES[f"{_SCALING}ScalingPolicy"] = ("PolicyName", "ScalingTargetId", *_SCALED)
    register("AWS::CloudWatch::CompositeAlarm", _composite_create, _composite_update, _composite_delete)
    provisioners._REPLACING_PROPERTIES["AWS::CloudWatch::CompositeAlarm"] = ("AlarmName",)
    original = stacks._runs_on_worker_thread  # as long as models load, the loop must serve them their artifacts
    stacks._runs_on_worker_thread = lambda resource_type: resource_type in LOADING or original(resource_type)


def register(
    type_name: str,
    create: Callable[[str, Properties, str], Made],
    update: Callable[[str, Properties, Properties, str], Made],
    delete: Callable[[str, Properties], None],
) -> None:
    """Make ``type_name`` a type."""
    provisioners._RESOURCE_HANDLERS[type_name] = {"create": create, "update": update, "delete": delete}


def same(physical_id: str, old: Properties, new: Properties, stack_name: str) -> Made:
    """Update nothing: what can change in place has no effect here."""
    del old, new, stack_name
    return physical_id, {}


def _untagged(props: Properties) -> Properties:
    return {key: value for key, value in props.items() if key != "Tags"}


def _all_but_tags(noun: str) -> tuple[str, ...]:
    members = service_model("sagemaker").operation_model(f"Create{noun}").input_shape.members
    return tuple(member for member in members if member != "Tags")


def _sagemaker(operation: str, props: Properties) -> dict[str, Any]:
    wanted = parameters("sagemaker", operation, props)
    own = sagemaker.operations().get(operation)
    return own(wanted) if own is not None else moto_bridge.call("sagemaker", operation, wanted)


def _await_endpoint(props: Properties) -> None:
    name = props["EndpointName"]
    status, reason = sagemaker.endpoints().wait(name)
    if status != "InService" or reason is not None:
        raise ValueError(f"Endpoint {name} is {status}: {reason}")


def _scaling(operation: str, props: Properties) -> dict[str, Any]:
    service = "application-autoscaling"
    return moto_bridge.call(service, operation, parameters(service, operation, props))


def _keys(props: Properties) -> Properties:
    """Return what names a scalable target; a policy may name it by the target's id."""
    if "ScalingTargetId" in props:
        return dict(zip(_SCALED, props["ScalingTargetId"].split("|"), strict=True))
    return {key: props[key] for key in _SCALED}


def _target_create(logical_id: str, props: Properties, stack_name: str) -> Made:
    del logical_id, stack_name
    _scaling("RegisterScalableTarget", {key: item for key, item in props.items() if key != "ScheduledActions"})
    identity = "|".join(_keys(props).values())
    return identity, {"Id": identity}


def _target_update(physical_id: str, old: Properties, new: Properties, stack_name: str) -> Made:
    del physical_id, old
    return _target_create("", new, stack_name)


def _target_delete(physical_id: str, props: Properties) -> None:
    del physical_id
    _scaling("DeregisterScalableTarget", _keys(props))


def _policy_create(logical_id: str, props: Properties, stack_name: str) -> Made:
    del logical_id, stack_name
    wanted = {key: item for key, item in props.items() if key != "ScalingTargetId"}
    arn = _scaling("PutScalingPolicy", {**wanted, **_keys(props)})["PolicyARN"]
    return arn, {"Arn": arn}


def _policy_update(physical_id: str, old: Properties, new: Properties, stack_name: str) -> Made:
    """Update in place: the policy keeps its ARN, of which moto makes a new one each time."""
    del old
    _policy_create("", new, stack_name)
    return physical_id, {"Arn": physical_id}


def _policy_delete(physical_id: str, props: Properties) -> None:
    del physical_id
    _scaling("DeleteScalingPolicy", {"PolicyName": props["PolicyName"], **_keys(props)})


def _composite_create(logical_id: str, props: Properties, stack_name: str) -> Made:
    name = props.get("AlarmName") or provisioners._physical_name(stack_name, logical_id)
    wanted = parameters("cloudwatch", "PutCompositeAlarm", {**props, "AlarmName": name})
    status, _, body = cloudwatch._put_composite_alarm({}, wanted, False, True)
    if status >= 400:
        raise ValueError(f"PutCompositeAlarm failed: {body.decode(errors='replace')}")
    arn = cloudwatch._composite_alarms[name]["AlarmArn"]
    return name, {"Arn": arn}


def _composite_update(physical_id: str, old: Properties, new: Properties, stack_name: str) -> Made:
    del old
    return _composite_create("", {**new, "AlarmName": physical_id}, stack_name)


def _composite_delete(physical_id: str, props: Properties) -> None:
    del props
    cloudwatch._delete_alarms({}, {"AlarmNames": [physical_id]}, False, True)
