"""Rules of IoT: policies held to the device, claims that only register, rules that lose nothing."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.review.reports import findings

ARN = "arn:aws:iot:eu-west-1:111111111111"
OWN = "${iot:Connection.Thing.ThingName}"


def policy(*statements: dict[str, Any]) -> dict[str, Any]:
    document = {"Statement": [{"Effect": "Allow", **statement} for statement in statements]}
    return {"Policy": ("AWS::IoT::Policy", {"PolicyDocument": document})}


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("iot:*", "*"),
        ("iot:Connect", f"{ARN}:client/*"),
        ("iot:Connect", f"{ARN}:client/${{iot:ClientId}}"),
        ("iot:Publish", f"{ARN}:topic/telemetry/*"),
        ("iot:Subscribe", f"{ARN}:topicfilter/telemetry/+/status"),
        ("iot:UpdateThingShadow", f"{ARN}:thing/*"),
    ],
)
def test_a_policy_that_takes_in_other_devices_is_found(action: str, resource: str) -> None:
    assert findings("IOT1", policy({"Action": action, "Resource": resource})) == [f"Policy[Resource::{resource}]"]


@pytest.mark.parametrize(
    "resource",
    [
        f"{ARN}:topic/telemetry/{OWN}/*",
        {"Fn::Sub": "arn:${AWS::Partition}:iot:${AWS::Region}:x:topic/t/${!iot:Connection.Thing.ThingName}/*"},
        {"Fn::Join": ["", [ARN, f":topicfilter/commands/{OWN}/#"]]},
        f"{ARN}:client/gateway-01",
        {"Ref": "ResourceOfAParameter"},
    ],
)
def test_a_policy_held_to_the_device_passes(resource: object) -> None:
    assert findings("IOT1", policy({"Action": "iot:Publish", "Resource": resource})) == []


def test_a_connection_held_to_the_attached_thing_passes_but_its_topics_do_not() -> None:
    attached = {"Bool": {"iot:Connection.Thing.IsAttached": "true"}}
    client, topic = f"{ARN}:client/${{iot:ClientId}}", f"{ARN}:topic/*"
    assert findings("IOT1", policy({"Action": "iot:Connect", "Resource": client, "Condition": attached})) == []
    both = {"Action": ["iot:Connect", "iot:Publish"], "Resource": topic, "Condition": attached}
    assert findings("IOT1", policy(both)) == [f"Policy[Resource::{topic}]"]


def test_a_denial_passes() -> None:
    assert findings("IOT1", policy({"Effect": "Deny", "Action": "iot:*", "Resource": "*"})) == []


def test_a_claim_may_connect_and_register() -> None:
    connect = {"Action": "iot:Connect", "Resource": "*"}
    register = {"Action": "iot:Publish", "Resource": f"{ARN}:topic/$aws/certificates/create/*"}
    assert findings("IOT3", policy(connect, register)) == []
    assert findings("IOT1", policy(connect, register)) == []


@pytest.mark.parametrize("action", ["iot:Publish", "iot:*", "iot:Receive"])
def test_a_claim_that_may_more_is_found(action: str) -> None:
    register = {"Action": "iot:Publish", "Resource": f"{ARN}:topic/$aws/provisioning-templates/f/provision/*"}
    more = {"Action": action, "Resource": f"{ARN}:topic/telemetry"}
    assert findings("IOT3", policy(register, more)) == [f"Policy[Resource::{ARN}:topic/telemetry]"]


def test_a_policy_of_devices_is_no_claim() -> None:
    assert findings("IOT3", policy({"Action": "iot:Publish", "Resource": f"{ARN}:topic/telemetry"})) == []


def rule(**payload: Any) -> dict[str, Any]:
    return {"Rule": ("AWS::IoT::TopicRule", {"TopicRulePayload": {"Sql": "SELECT * FROM 't'", **payload}})}


def test_a_rule_without_error_action_is_found() -> None:
    assert findings("IOT2", rule()) == ["Rule"]
    assert findings("IOT2", rule(ErrorAction={"Sqs": {"QueueUrl": "u", "RoleArn": "r"}})) == []
    assert findings("IOT2", rule(ErrorAction={"Fn::If": ["Prod", {"Sqs": {}}, {"Ref": "AWS::NoValue"}]})) == []


def test_a_payload_that_waits_for_cloudformation_passes() -> None:
    waiting = {"Rule": ("AWS::IoT::TopicRule", {"TopicRulePayload": {"Fn::If": ["Prod", {}, {}]}})}
    assert findings("IOT2", waiting) == []


def test_fleet_provisioning_without_hook_is_found_and_other_provisioning_is_not() -> None:
    def template(**properties: Any) -> dict[str, Any]:
        return {"Template": ("AWS::IoT::ProvisioningTemplate", properties)}

    assert findings("IOT4", template()) == ["Template"]
    assert findings("IOT4", template(PreProvisioningHook={"TargetArn": "arn"})) == []
    assert findings("IOT4", template(TemplateType="JITP")) == []


def test_logging_and_audit_that_are_off_are_found() -> None:
    off = {"Log": ("AWS::IoT::Logging", {"DefaultLogLevel": "DISABLED"})}
    assert findings("IOT5", off) == ["Log"]
    checks = {"SHARED": {"Enabled": False}, "EXPIRING": {"Enabled": "true"}, "CHOSEN": {"Enabled": {"Ref": "Choice"}}}
    audit = {"Audit": ("AWS::IoT::AccountAuditConfiguration", {"AuditCheckConfigurations": checks})}
    assert findings("IOT5", audit) == ["Audit[Check::SHARED]"]
    assert findings("IOT5", rule()) == []
