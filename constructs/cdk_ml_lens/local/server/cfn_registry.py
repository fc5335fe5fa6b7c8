"""AWS::SageMaker::ModelPackageGroup: the group and its resource policy."""

from __future__ import annotations

from typing import Any

from ministack.services.cloudformation import provisioners

from . import sagemaker
from .cfn_shapes import parameters
from .cfn_types import Made, Properties, register
from .moto_bridge import ApiError

GROUP = "AWS::SageMaker::ModelPackageGroup"
POLICY = "ModelPackageGroupPolicy"


def install() -> None:
    """Register the type.

    Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-sagemaker-modelpackagegroup.html
    """
    register(GROUP, _create, _update, _delete)
    provisioners._REPLACING_PROPERTIES[GROUP] = ("ModelPackageGroupName", "ModelPackageGroupDescription")
    provisioners._CUSTOM_NAME_REPLACEMENT[GROUP] = {"name": "ModelPackageGroupName"}


def _call(operation: str, props: Properties) -> dict[str, Any]:
    answer: dict[str, Any] = sagemaker.operations()[operation](parameters("sagemaker", operation, props))
    return answer


def _create(logical_id: str, props: Properties, stack_name: str) -> Made:
    named = {"ModelPackageGroupName": provisioners._physical_name(stack_name, logical_id, max_len=63), **props}
    arn = _call("CreateModelPackageGroup", {key: item for key, item in named.items() if key != POLICY})[
        "ModelPackageGroupArn"
    ]
    return _update(arn, {}, named, stack_name)


def _update(physical_id: str, old: Properties, new: Properties, stack_name: str) -> Made:
    del stack_name
    name = physical_id.split("/")[-1]
    if new.get(POLICY):
        _call("PutModelPackageGroupPolicy", {"ModelPackageGroupName": name, "ResourcePolicy": new[POLICY]})
    elif old.get(POLICY):
        _call("DeleteModelPackageGroupPolicy", {"ModelPackageGroupName": name})
    return physical_id, {
        "ModelPackageGroupName": name,
        "ModelPackageGroupArn": physical_id,
        "ModelPackageGroupStatus": "Completed",
    }


def _delete(physical_id: str, props: Properties) -> None:
    del props
    try:
        _call("DeleteModelPackageGroup", {"ModelPackageGroupName": physical_id.split("/")[-1]})
    except ApiError as error:
        if "does not exist" not in str(error):
            raise ValueError(str(error)) from error
