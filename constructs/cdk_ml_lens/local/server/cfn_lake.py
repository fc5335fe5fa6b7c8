"""CloudFormation types of a data lake: Glue's security configuration, CloudTrail's trail, feature groups."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from ministack.services import cloudtrail, glue
from ministack.services.cloudformation import provisioners

from . import sagemaker
from .cfn_shapes import parameters
from .cfn_types import Made, Properties, register, same

GROUP = "AWS::SageMaker::FeatureGroup"
_TRAIL = ("AdvancedEventSelectors", "EventSelectors", "InsightSelectors", "IsLogging", "Tags", "TrailName", "KMSKeyId")


def install() -> None:
    """Register the types; a change of what cannot be updated makes a new resource."""
    security = ("Name", "EncryptionConfiguration")
    group = ("FeatureGroupName", "RecordIdentifierFeatureName", "EventTimeFeatureName", "OfflineStoreConfig", "RoleArn")
    for name, create, update, delete, replacing in (
        ("AWS::Glue::SecurityConfiguration", _security_create, same, _security_delete, security),
        ("AWS::CloudTrail::Trail", _trail_create, _trail_update, _trail_delete, ("TrailName",)),
        (GROUP, _group_create, _group_update, _group_delete, group),
    ):
        register(name, create, update, delete)
        provisioners._REPLACING_PROPERTIES[name] = replacing
    provisioners._CUSTOM_NAME_REPLACEMENT[GROUP] = {"name": "FeatureGroupName"}


def _call(function: Callable[[Properties], tuple[int, Any, bytes]], given: Properties) -> dict[str, Any]:
    status, _, body = function(given)
    if status >= 400:
        raise ValueError(f"{function.__name__.lstrip('_')} failed: {body.decode(errors='replace')}")
    answer: dict[str, Any] = json.loads(body or b"{}")
    return answer


def _security_create(logical_id: str, props: Properties, stack_name: str) -> Made:
    name = props.get("Name") or provisioners._physical_name(stack_name, logical_id, max_len=255)
    _call(glue._create_security_configuration, {**props, "Name": name})
    return name, {}


def _security_delete(physical_id: str, props: Properties) -> None:
    del props
    glue._delete_security_configuration({"Name": physical_id})


def _trail_create(logical_id: str, props: Properties, stack_name: str) -> Made:
    name = props.get("TrailName") or provisioners._physical_name(stack_name, logical_id, max_len=128)
    _call(cloudtrail._create_trail, _trail_parameters("CreateTrail", name, props))
    return name, _trail_state(name, props)


def _trail_update(physical_id: str, old: Properties, new: Properties, stack_name: str) -> Made:
    del old, stack_name
    _call(cloudtrail._update_trail, _trail_parameters("UpdateTrail", physical_id, new))
    return physical_id, _trail_state(physical_id, new)


def _trail_parameters(operation: str, name: str, props: Properties) -> Properties:
    plain = {key: value for key, value in props.items() if key not in _TRAIL}
    key = {"KmsKeyId": props["KMSKeyId"]} if "KMSKeyId" in props else {}
    return parameters("cloudtrail", operation, {**plain, **key, "Name": name})


def _trail_state(name: str, props: Properties) -> dict[str, Any]:
    """Set selectors and logging, and return the attributes."""
    selectors: Properties = {key: props[key] for key in ("AdvancedEventSelectors", "EventSelectors") if key in props}
    if selectors:
        _call(cloudtrail._put_event_selectors, {"TrailName": name, **selectors})
    logging = str(props.get("IsLogging")).lower() == "true"
    _call(cloudtrail._start_logging if logging else cloudtrail._stop_logging, {"Name": name})
    return {"Arn": cloudtrail._trail_arn(name)}


def _trail_delete(physical_id: str, props: Properties) -> None:
    del props
    cloudtrail._delete_trail({"Name": physical_id})


def _group_create(logical_id: str, props: Properties, stack_name: str) -> Made:
    name = props.get("FeatureGroupName") or provisioners._physical_name(stack_name, logical_id, max_len=64)
    wanted = parameters("sagemaker", "CreateFeatureGroup", {**props, "FeatureGroupName": name})
    sagemaker.operations()["CreateFeatureGroup"](wanted)
    return name, {"FeatureGroupStatus": "Created"}


def _group_update(physical_id: str, old: Properties, new: Properties, stack_name: str) -> Made:
    """Add features and set how long records live; SageMaker takes no feature away."""
    del stack_name
    features, before = new["FeatureDefinitions"], old["FeatureDefinitions"]
    if lost := [item["FeatureName"] for item in before if item not in features]:
        raise ValueError(f"features of {physical_id} cannot be removed or changed: {lost}")
    wanted = {
        "FeatureGroupName": physical_id,
        "FeatureAdditions": [item for item in features if item not in before],
        "OnlineStoreConfig": {"TtlDuration": new.get("OnlineStoreConfig", {}).get("TtlDuration", {})},
    }
    sagemaker.operations()["UpdateFeatureGroup"](parameters("sagemaker", "UpdateFeatureGroup", wanted))
    return physical_id, {"FeatureGroupStatus": "Created"}


def _group_delete(physical_id: str, props: Properties) -> None:
    del props
    sagemaker.operations()["DeleteFeatureGroup"]({"FeatureGroupName": physical_id})
