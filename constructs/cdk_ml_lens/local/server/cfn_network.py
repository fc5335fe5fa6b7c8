"""CloudFormation types of networks and firewalls: MiniStack has the services, but not these types."""

from __future__ import annotations

import json
import re
from typing import Any

from ministack.services import ec2, waf
from ministack.services.cloudformation import provisioners

Properties = dict[str, Any]
Made = tuple[str, dict[str, Any]]  # physical id, attributes
_FLOW_LOG_ID = re.compile(rb"fl-[0-9a-fA-F]+")


def install() -> None:
    """Register the types. Every change replaces them, as on AWS for all that matters here."""
    for name, create, delete in (
        ("AWS::EC2::FlowLog", _flow_log_create, _flow_log_delete),
        ("AWS::WAFv2::WebACLAssociation", _association_create, _association_delete),
    ):
        provisioners._RESOURCE_HANDLERS[name] = {"create": create, "delete": delete}


def _flow_log_create(logical_id: str, props: Properties, stack_name: str) -> Made:
    """Note a flow log: MiniStack lists it, but no packet flows, so nothing is ever delivered."""
    del logical_id, stack_name
    names = ("ResourceType", "TrafficType", "LogDestinationType", "LogDestination", "LogGroupName")
    wanted = {name: [str(props[name])] for name in names if name in props}
    _, _, body = ec2._create_flow_logs({"ResourceId.1": [props["ResourceId"]], **wanted})
    found = _FLOW_LOG_ID.search(body)
    assert found is not None, body  # it refuses nothing
    identity = found.group().decode()
    return identity, {"Id": identity}


def _flow_log_delete(physical_id: str, props: Properties) -> None:
    del props
    ec2._delete_flow_logs({"FlowLogId.1": [physical_id]})


def _association_create(logical_id: str, props: Properties, stack_name: str) -> Made:
    """Note the association: MiniStack answers questions about it, but filters no request."""
    del logical_id, stack_name
    status, _, body = waf._associate_web_acl(props)
    if status >= 400:
        raise ValueError(f"AssociateWebACL failed: {json.loads(body).get('message', body)}")
    return f"{props['ResourceArn']}|{props['WebACLArn']}", {}


def _association_delete(physical_id: str, props: Properties) -> None:
    del physical_id
    waf._disassociate_web_acl(props)
