"""DeviceFleet: each device speaks for itself only; provisioning is by claim; fixed devices bring a CSR."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_lambda as lambda_

from cdk_ml_lens import DeviceFleet, PropError
from tests.unit.templates import Template

THING = "${iot:Connection.Thing.ThingName}"
CSR = "-----BEGIN CERTIFICATE REQUEST-----\nMIIB\n-----END CERTIFICATE REQUEST-----"


def flat(value: Any) -> str:
    """Return a rendered ARN without its Fn::Join."""
    if isinstance(value, dict) and "Fn::Join" in value:
        return "".join(flat(part) for part in value["Fn::Join"][1])
    if isinstance(value, dict) and "Fn::Select" in value:  # the last part of an ARN
        return f"<{value['Fn::Select'][1]['Fn::Split'][1]['Fn::GetAtt'][0]}>"
    return f"<{value['Ref']}>" if isinstance(value, dict) else str(value)


def policy(template: Template, part_of_id: str) -> dict[str, dict[str, Any]]:
    """Return action → statement of one IoT policy."""
    (document,) = [
        res["Properties"]["PolicyDocument"]
        for id, res in template.of_type("AWS::IoT::Policy").items()
        if part_of_id in id
    ]
    return {statement["Action"]: statement for statement in document["Statement"]}


def resources(statement: dict[str, Any]) -> list[str]:
    """Return the resource part of each ARN of a statement."""
    return [flat(arn).split("<AWS::AccountId>:")[1] for arn in statement["Resource"]]


def test_device_may_use_its_own_topics_and_nothing_else(
    stack: cdk.Stack, synth: Callable[[cdk.Stack], Template]
) -> None:
    DeviceFleet(stack, "Fleet")
    device = policy(synth(stack), "DevicePolicy")
    assert {action: resources(statement) for action, statement in device.items()} == {
        "iot:Connect": [f"client/{THING}"],
        "iot:Publish": [f"topic/devices/{THING}/telemetry"],
        "iot:Subscribe": [f"topicfilter/devices/{THING}/commands"],
        "iot:Receive": [f"topic/devices/{THING}/commands"],
    }
    assert device["iot:Connect"]["Condition"] == {"Bool": {"iot:Connection.Thing.IsAttached": "true"}}


def test_claim_certificate_may_only_provision(stack: cdk.Stack, synth: Callable[[cdk.Stack], Template]) -> None:
    DeviceFleet(stack, "Fleet")
    template = synth(stack)
    claim = policy(template, "ClaimPolicy")
    ((name, _),) = template.of_type("AWS::IoT::ProvisioningTemplate").items()
    provision = f"$aws/provisioning-templates/<{name}>/provision/json"
    assert resources(claim["iot:Publish"]) == ["topic/$aws/certificates/create/json", f"topic/{provision}"]
    assert all("$aws/" in resource for resource in resources(claim["iot:Subscribe"]) + resources(claim["iot:Receive"]))


def test_template_types_groups_and_authorizes_the_device(
    stack: cdk.Stack, synth: Callable[[cdk.Stack], Template]
) -> None:
    DeviceFleet(stack, "Fleet")
    template = synth(stack)
    properties = template.only("AWS::IoT::ProvisioningTemplate")
    body = json.loads(flat(properties["TemplateBody"]))
    assert body["Resources"]["thing"]["Properties"]["ThingName"] == {"Ref": "SerialNumber"}
    assert body["Resources"]["thing"]["Properties"]["ThingGroups"][0].startswith("<FleetThingGroup")
    assert body["Resources"]["policy"]["Properties"]["PolicyName"].startswith("<FleetDevicePolicy")
    assert "PreProvisioningHook" not in properties
    ((template_id, _),) = template.of_type("AWS::IoT::ProvisioningTemplate").items()
    assert set(template.of_type("AWS::IAM::Policy")) <= template.depends_on(template_id)


def test_provisioning_role_cannot_make_policies_or_certificates(
    stack: cdk.Stack, synth: Callable[[cdk.Stack], Template]
) -> None:
    DeviceFleet(stack, "Fleet")
    actions = synth(stack).actions("Provisioning")
    assert "iot:RegisterThing" in actions
    assert not actions & {"iot:CreatePolicy", "iot:CreateCertificateFromCsr", "iot:DeleteThing", "iot:*"}


def test_full_calls_a_hook_of_this_account(
    stack: cdk.Stack, synth: Callable[[cdk.Stack], Template], hook: lambda_.Function
) -> None:
    fleet = DeviceFleet(stack, "Fleet", topic_prefix="plant/line-1", pre_provisioning_hook=hook)
    assert (fleet.telemetry_topic_filter, fleet.device_level) == ("plant/line-1/+/telemetry", 3)
    assert fleet.command_topic("t1") == "plant/line-1/t1/commands"
    template = synth(stack)
    assert template.only("AWS::IoT::ProvisioningTemplate")["PreProvisioningHook"]["PayloadVersion"] == "2020-04-01"
    permission = template.only("AWS::Lambda::Permission")
    assert permission["Principal"] == "iot.amazonaws.com"
    assert permission["SourceAccount"] == {"Ref": "AWS::AccountId"}
    ((template_id, _),) = template.of_type("AWS::IoT::ProvisioningTemplate").items()
    assert set(template.of_type("AWS::Lambda::Permission")) <= template.depends_on(template_id)  # IoT tries the hook


def test_fixed_device_gets_a_certificate_from_its_csr(stack: cdk.Stack, synth: Callable[[cdk.Stack], Template]) -> None:
    DeviceFleet(stack, "Fleet").add_device("T7", thing_name="turbine-7", certificate_signing_request=CSR)
    template = synth(stack)
    thing = template.only("AWS::IoT::Thing")
    assert thing["ThingName"] == "turbine-7"
    assert "Ref" in thing["ThingTypeName"]
    certificate = template.only("AWS::IoT::Certificate")
    assert (certificate["Status"], certificate["CertificateSigningRequest"]) == ("ACTIVE", CSR)
    assert (
        template.only("AWS::IoT::PolicyPrincipalAttachment")["Principal"]
        == (template.only("AWS::IoT::ThingPrincipalAttachment")["Principal"])
    )


@pytest.mark.parametrize("prefix", ["", "/devices", "devices/", "de+ices", "a/b/c/d/e", "it's"])
def test_fails_on_a_prefix_that_is_no_plain_topic(stack: cdk.Stack, prefix: str) -> None:
    with pytest.raises(PropError, match="topic_prefix must be one to four levels .* for device fleet, got"):
        DeviceFleet(stack, "Fleet", topic_prefix=prefix)


def test_fails_on_a_bad_device(stack: cdk.Stack) -> None:
    fleet = DeviceFleet(stack, "Fleet")
    with pytest.raises(PropError) as raised:
        fleet.add_device("T", thing_name="a/b", certificate_signing_request="-----BEGIN CERTIFICATE-----")
    assert [fault.prop for fault in raised.value.faults] == ["thing_name", "certificate_signing_request"]


def test_nag_is_clean(stack: cdk.Stack, nag: Callable[[cdk.Stack], list[str]]) -> None:
    DeviceFleet(stack, "Fleet").add_device("T7", thing_name="turbine-7", certificate_signing_request=CSR)
    assert nag(stack) == []
