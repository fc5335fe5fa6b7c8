"""The IoT policies of a fleet: what a device may do, and what a claim certificate may do before it is one."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
from constructs import Construct

THING = "${iot:Connection.Thing.ThingName}"
_CREATE = "$aws/certificates/create"


def device_policy(scope: Construct, topic_prefix: str) -> dict[str, Any]:
    """Connect as itself, publish its telemetry, take its commands; nothing else.

    Parameters
    ----------
    scope : Construct
        Any construct of the stack, for the ARNs.
    topic_prefix : str
        First levels of the fleet's topics.
    """
    commands = f"{topic_prefix}/{THING}/commands"
    connect = _allow("iot:Connect", [_arn(scope, "client", THING)])
    connect["Condition"] = {"Bool": {"iot:Connection.Thing.IsAttached": "true"}}
    return _document(
        connect,
        _allow("iot:Publish", [_arn(scope, "topic", f"{topic_prefix}/{THING}/telemetry")]),
        _allow("iot:Subscribe", [_arn(scope, "topicfilter", commands)]),
        _allow("iot:Receive", [_arn(scope, "topic", commands)]),
    )


def claim_policy(scope: Construct, template_name: str) -> dict[str, Any]:
    """Exchange the claim certificate for an identity through one provisioning template; nothing else.

    Parameters
    ----------
    scope : Construct
        Any construct of the stack, for the ARNs.
    template_name : str
        Provisioning template, usually a reference.

    Notes
    -----
    Source: https://docs.aws.amazon.com/iot/latest/developerguide/provision-wo-cert.html#claim-based. The client id is
    free because a device has no thing yet; MQTT topics of the fleet stay closed to it.
    """
    provision = f"$aws/provisioning-templates/{template_name}/provision"
    topics = [f"{base}/{leaf}" for base in (_CREATE, provision) for leaf in ("json", "json/accepted", "json/rejected")]
    return _document(
        _allow("iot:Connect", [_arn(scope, "client", "*")]),
        _allow("iot:Publish", [_arn(scope, "topic", topics[0]), _arn(scope, "topic", topics[3])]),
        _allow("iot:Receive", [_arn(scope, "topic", topic) for topic in topics if topic[-4:] != "json"]),
        _allow("iot:Subscribe", [_arn(scope, "topicfilter", topic) for topic in topics if topic[-4:] != "json"]),
    )


def _arn(scope: Construct, resource: str, name: str) -> str:
    return cdk.Stack.of(scope).format_arn(service="iot", resource=resource, resource_name=name)


def _allow(action: str, resources: list[str]) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resources}


def _document(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}
