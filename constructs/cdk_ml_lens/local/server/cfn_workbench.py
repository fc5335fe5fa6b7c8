"""CloudFormation types of a workbench: notebook instances by moto, Studio's domains and users as names, group rules."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

from ministack.services import ec2
from ministack.services.cloudformation import provisioners

from . import moto_bridge
from .cfn_shapes import parameters
from .cfn_types import Made, Properties, register, same
from .model_groups import prefix

NOTEBOOK = "AWS::SageMaker::NotebookInstance"
LIFECYCLE = "AWS::SageMaker::NotebookInstanceLifecycleConfig"
_RULES: dict[str, tuple[Callable[[Properties], Any], Callable[[Properties], Any]]] = {
    "Ingress": (ec2._authorize_sg_ingress, ec2._revoke_sg_ingress),
    "Egress": (ec2._authorize_sg_egress, ec2._revoke_sg_egress),
}
_PEERS = {
    "SourceSecurityGroupId": "Groups.1.GroupId",
    "DestinationSecurityGroupId": "Groups.1.GroupId",
    "CidrIp": "IpRanges.1.CidrIp",
}
_PORTS = ("FromPort", "ToPort", "IpProtocol")


def install() -> None:
    """Register the types. No Jupyter server starts, so no lifecycle script runs and no presigned URL is made.

    Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_SageMaker.html
    """
    register(LIFECYCLE, _lifecycle_create, same, _lifecycle_delete)
    register(NOTEBOOK, _notebook_create, same, _notebook_delete)
    for type_name, name in ((LIFECYCLE, "NotebookInstanceLifecycleConfigName"), (NOTEBOOK, "NotebookInstanceName")):
        provisioners._CUSTOM_NAME_REPLACEMENT[type_name] = {"name": name}
    provisioners._REPLACING_PROPERTIES[NOTEBOOK] = ("SubnetId", "SecurityGroupIds", "KmsKeyId", "PlatformIdentifier")
    register("AWS::SageMaker::Domain", _domain_create, same, _forget)
    register("AWS::SageMaker::UserProfile", _user_create, same, _forget)
    for kind in _RULES:
        register(f"AWS::EC2::SecurityGroup{kind}", _rule(kind), same, _rule_delete(kind))
        provisioners._REPLACING_PROPERTIES[f"AWS::EC2::SecurityGroup{kind}"] = ("GroupId", *_PORTS, *_PEERS)


def _lifecycle_create(logical_id: str, props: Properties, stack_name: str) -> Made:
    name = "NotebookInstanceLifecycleConfigName"
    wanted = {name: provisioners._physical_name(stack_name, logical_id, max_len=63), **props}
    made = _call("CreateNotebookInstanceLifecycleConfig", wanted)["NotebookInstanceLifecycleConfigArn"]
    return made, {name: wanted[name]}


def _lifecycle_delete(physical_id: str, props: Properties) -> None:
    del props
    name = {"NotebookInstanceLifecycleConfigName": physical_id.split("/")[-1]}
    moto_bridge.call("sagemaker", "DeleteNotebookInstanceLifecycleConfig", name)


def _notebook_create(logical_id: str, props: Properties, stack_name: str) -> Made:
    name = provisioners._physical_name(stack_name, logical_id, max_len=56)
    fresh = f"{name}-{secrets.token_hex(3)}"  # the one of an earlier stack may have been retained
    wanted = {"NotebookInstanceName": fresh, **props}
    made = _call("CreateNotebookInstance", wanted)["NotebookInstanceArn"]
    return made, {"NotebookInstanceName": wanted["NotebookInstanceName"]}


def _notebook_delete(physical_id: str, props: Properties) -> None:
    """Delete it; AWS, and so moto, takes stopped ones only, and CloudFormation stops it first."""
    del props
    name = {"NotebookInstanceName": physical_id.split("/")[-1]}
    for operation in ("StopNotebookInstance", "DeleteNotebookInstance"):
        moto_bridge.call("sagemaker", operation, name)


def _domain_create(logical_id: str, props: Properties, stack_name: str) -> Made:
    del logical_id, stack_name
    identity = f"d-{secrets.token_hex(6)}"
    arn = f"{prefix()}:domain/{identity}"
    return identity, {
        "DomainId": identity,
        "DomainArn": arn,
        "Url": f"https://{identity}.studio.invalid",
        "HomeEfsFileSystemId": f"fs-{identity[2:]}",
        "DomainName": props["DomainName"],
    }


def _user_create(logical_id: str, props: Properties, stack_name: str) -> Made:
    del logical_id, stack_name
    name = props["UserProfileName"]
    return name, {"UserProfileArn": f"{prefix()}:user-profile/{props['DomainId']}/{name.lower()}"}


def _rule(kind: str) -> Callable[[str, Properties, str], Made]:
    def create(logical_id: str, props: Properties, stack_name: str) -> Made:
        del logical_id, stack_name
        status, _, body = _RULES[kind][0](_permission(props))
        if status >= 400:
            raise ValueError(f"AuthorizeSecurityGroup{kind} failed: {body.decode(errors='replace')}")
        identity = f"sgr-{secrets.token_hex(8)}"
        return identity, {"Id": identity}

    return create


def _rule_delete(kind: str) -> Callable[[str, Properties], None]:
    def delete(physical_id: str, props: Properties) -> None:
        del physical_id
        _RULES[kind][1](_permission(props))  # a group that is gone took its rules along

    return delete


def _permission(props: Properties) -> Properties:
    """Return a rule as EC2's API takes it."""
    members = {name: name for name in _PORTS} | _PEERS
    given = {member: [str(props[name])] for name, member in members.items() if name in props}
    return {"GroupId": [props["GroupId"]], **{f"IpPermissions.1.{member}": item for member, item in given.items()}}


def _forget(physical_id: str, props: Properties) -> None:
    """Delete nothing: nothing is kept."""
    del physical_id, props


def _call(operation: str, props: Properties) -> dict[str, Any]:
    return moto_bridge.call("sagemaker", operation, parameters("sagemaker", operation, props))
