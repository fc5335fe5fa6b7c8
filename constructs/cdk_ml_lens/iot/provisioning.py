"""Fleet provisioning by claim: the template body, its role, and the optional pre-provisioning hook."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_iot as iot
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from cdk_ml_lens.core import grants
from cdk_ml_lens.core.nag import acknowledge, finding_of
from cdk_ml_lens.core.trust import of_this_account

_HOOK_VERSION = "2020-04-01"
_HOOK_PERMISSION = "IotPreProvisioning"
# What registering a thing with an existing policy calls, by the resource type IAM knows for the action.
# Source: https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsiot.html
_THING_ACTIONS = (
    "iot:AddThingToThingGroup",
    "iot:AttachThingPrincipal",
    "iot:CreateThing",
    "iot:DescribeThing",
    "iot:ListThingGroupsForThing",
    "iot:ListThingPrincipals",
    "iot:UpdateThing",
)
_CERTIFICATE_ACTIONS = (
    "iot:AttachPolicy",
    "iot:AttachThingPrincipal",
    "iot:DescribeCertificate",
    "iot:ListPrincipalThings",
    "iot:UpdateCertificate",
)
_UNSCOPED_ACTIONS = ("iot:ListAttachedPolicies", "iot:ListPrincipalPolicies", "iot:RegisterThing")
_FLEET_ACTIONS = {
    "thinggroup": ("iot:AddThingToThingGroup", "iot:DescribeThingGroup"),
    "thingtype": ("iot:DescribeThingType",),
    "policy": ("iot:GetPolicy",),
}


class ProvisioningRole(Construct):
    """The role that IoT Core takes to register a device; narrower than ``AWSIoTThingsRegistration``.

    Attributes
    ----------
    role : Role
        Its policy is in place before anything that depends on this construct.
    """

    def __init__(self, scope: Construct, id: str) -> None:
        super().__init__(scope, id)
        self.role = iam.Role(self, "Role", assumed_by=of_this_account(self, "iot.amazonaws.com"))
        things, certificates = _arn(self, "thing"), _arn(self, "cert")
        self._allow(_THING_ACTIONS, things, "A device's name is only known when it registers.")
        self._allow(_CERTIFICATE_ACTIONS, certificates, "IoT Core names the certificate when it issues it.")
        for resource, actions in _FLEET_ACTIONS.items():
            self._allow(
                actions,
                _arn(self, resource),
                "Names come from CloudFormation; these actions only read or join.",
            )
        self._allow(_UNSCOPED_ACTIONS, "*", "IAM knows no resource type for these actions.")

    def _allow(self, actions: tuple[str, ...], resource: str, reason: str) -> None:
        grants.allow(self.role, actions, [resource])
        acknowledge(self.role, f"IAM5[{finding_of(self, resource)}]", reason)


def template_body(
    scope: Construct, *, policy: iot.CfnPolicy, thing_type: iot.CfnThingType, thing_group: iot.CfnThingGroup
) -> str:
    """Return the fleet provisioning template: certificate active, thing typed and grouped, policy attached.

    The device sends one parameter, ``SerialNumber``, which becomes its thing name.

    Source: https://docs.aws.amazon.com/iot/latest/developerguide/provision-template.html
    """
    body: dict[str, Any] = {
        "Parameters": {"SerialNumber": {"Type": "String"}, "AWS::IoT::Certificate::Id": {"Type": "String"}},
        "Resources": {
            "certificate": {
                "Type": "AWS::IoT::Certificate",
                "Properties": {"CertificateId": {"Ref": "AWS::IoT::Certificate::Id"}, "Status": "Active"},
            },
            "policy": {"Type": "AWS::IoT::Policy", "Properties": {"PolicyName": policy.ref}},
            "thing": {
                "Type": "AWS::IoT::Thing",
                "OverrideSettings": {"ThingTypeName": "REPLACE", "ThingGroups": "DO_NOTHING"},
                "Properties": {
                    "ThingName": {"Ref": "SerialNumber"},
                    "ThingTypeName": thing_type.ref,
                    "ThingGroups": [_name(thing_group)],
                },
            },
        },
    }
    return cdk.Stack.of(scope).to_json_string(body)


def hook_property(scope: Construct, hook: lambda_.IFunction) -> iot.CfnProvisioningTemplate.ProvisioningHookProperty:
    """Let IoT Core of this account call ``hook`` before it registers a device; once, for all fleets that share it."""
    if hook.node.try_find_child(_HOOK_PERMISSION) is None:
        hook.add_permission(
            _HOOK_PERMISSION,
            principal=iam.ServicePrincipal("iot.amazonaws.com"),
            source_account=cdk.Stack.of(scope).account,
        )
    return iot.CfnProvisioningTemplate.ProvisioningHookProperty(
        target_arn=hook.function_arn, payload_version=_HOOK_VERSION
    )


def await_hook(template: iot.CfnProvisioningTemplate, hook: lambda_.IFunction) -> None:
    """Make the template wait for the permission: IoT Core checks then that it may call the hook."""
    permission = hook.node.try_find_child(_HOOK_PERMISSION)
    if permission is not None:  # a function of another account has none of ours
        template.node.add_dependency(permission)


def _name(thing_group: iot.CfnThingGroup) -> str:
    """Return the group's name from its ARN: what ``Ref`` gives, name or id, is documented both ways."""
    return cdk.Fn.select(1, cdk.Fn.split("/", thing_group.attr_arn))


def _arn(scope: Construct, resource: str) -> str:
    return cdk.Stack.of(scope).format_arn(service="iot", resource=resource, resource_name="*")
