"""Fleet provisioning by claim, and what a device policy lets a device do, over MQTT with mutual TLS."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from cdk_ml_lens.local import LaptopCloud
from tests.local.mqtt import Device
from tests.local.support import policy, role, write_assembly

pytestmark = pytest.mark.laptop_cloud
IOT = "arn:aws:iot:us-east-1:000000000000"
Connect = Callable[..., Device]
THING = "${iot:Connection.Thing.ThingName}"


DEVICE_POLICY = policy(
    ("iot:Connect", f"{IOT}:client/{THING}"),
    ("iot:Publish", f"{IOT}:topic/devices/{THING}/telemetry"),
    ("iot:Subscribe", f"{IOT}:topicfilter/devices/{THING}/commands"),
    ("iot:Receive", f"{IOT}:topic/devices/{THING}/commands"),
)
CLAIM_TOPICS = ["$aws/certificates/create/*", "$aws/provisioning-templates/fleet/provision/*"]
CLAIM_POLICY = policy(
    ("iot:Connect", "*"),
    (["iot:Publish", "iot:Receive"], [f"{IOT}:topic/{topic}" for topic in CLAIM_TOPICS]),
    ("iot:Subscribe", [f"{IOT}:topicfilter/{topic}" for topic in CLAIM_TOPICS]),
)
TEMPLATE = {
    "Parameters": {"SerialNumber": {"Type": "String"}, "AWS::IoT::Certificate::Id": {"Type": "String"}},
    "Resources": {
        "thing": {"Type": "AWS::IoT::Thing", "Properties": {"ThingName": {"Ref": "SerialNumber"}}},
        "certificate": {
            "Type": "AWS::IoT::Certificate",
            "Properties": {"CertificateId": {"Ref": "AWS::IoT::Certificate::Id"}, "Status": "Active"},
        },
        "policy": {"Type": "AWS::IoT::Policy", "Properties": {"PolicyName": "device"}},
    },
}
REGISTRATION = "arn:aws:iam::aws:policy/service-role/AWSIoTThingsRegistration"


@pytest.fixture(scope="module")
def fleet(guarded: LaptopCloud, tmp_path_factory: pytest.TempPathFactory) -> None:
    resources = {
        "Role": role("iot.amazonaws.com", ManagedPolicyArns=[REGISTRATION]),
        "Device": {
            "Type": "AWS::IoT::Policy",
            "Properties": {"PolicyName": "device", "PolicyDocument": DEVICE_POLICY},
        },
        "Claim": {
            "Type": "AWS::IoT::Policy",
            "Properties": {"PolicyName": "claim", "PolicyDocument": CLAIM_POLICY},
        },
        "Template": {
            "Type": "AWS::IoT::ProvisioningTemplate",
            "Properties": {
                "TemplateName": "fleet",
                "Enabled": True,
                "ProvisioningRoleArn": {"Fn::GetAtt": ["Role", "Arn"]},
                "TemplateBody": json.dumps(TEMPLATE),
            },
        },
    }
    guarded.deploy(write_assembly(tmp_path_factory.mktemp("fleet"), "Fleet", {"Resources": resources}), "Fleet")


@pytest.fixture(scope="module")
def claim(guarded: LaptopCloud, fleet: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Device]:
    iot = guarded.client("iot")
    made = iot.create_keys_and_certificate(setAsActive=True)
    iot.attach_policy(policyName="claim", target=made["certificateArn"])
    folder = tmp_path_factory.mktemp("claim")
    device = Device(guarded, "factory", made["certificatePem"], made["keyPair"]["PrivateKey"], folder)
    assert device.connected()
    yield device
    device.close()


@dataclass(frozen=True, kw_only=True)
class Identity:
    """A device's certificate and key."""

    pem: str
    key: str


@pytest.fixture(scope="module")
def turbine(claim: Device) -> Identity:
    own = claim.ask("$aws/certificates/create/json", {})
    body = {"certificateOwnershipToken": own["certificateOwnershipToken"], "parameters": {"SerialNumber": "turbine-1"}}
    answer = claim.ask("$aws/provisioning-templates/fleet/provision/json", body)
    assert answer["thingName"] == "turbine-1"
    return Identity(pem=own["certificatePem"], key=own["privateKey"])


@pytest.fixture
def connect(guarded: LaptopCloud, turbine: Identity, tmp_path: Path) -> Iterator[Connect]:
    """Return a function that connects with the turbine's certificate under any client id."""
    devices: list[Device] = []

    def open_connection(client_id: str = "turbine-1") -> Device:
        devices.append(Device(guarded, client_id, turbine.pem, turbine.key, tmp_path))
        return devices[-1]

    yield open_connection
    for device in devices:
        device.close()


def test_a_claim_certificate_provisions_a_device_that_receives_its_commands(
    guarded: LaptopCloud, connect: Connect
) -> None:
    turbine = connect()
    assert turbine.connected()
    assert turbine.subscribe("devices/turbine-1/commands")
    assert turbine.publish("devices/turbine-1/telemetry", {"temperature": 1})
    guarded.client("iot-data").publish(topic="devices/turbine-1/commands", qos=1, payload='{"do": "stop"}')
    assert turbine.messages.get(timeout=5) == ("devices/turbine-1/commands", {"do": "stop"})


@pytest.mark.parametrize("topic", ["devices/turbine-2/telemetry", "devices/turbine-1/commands", "other"])
def test_a_device_cannot_publish_elsewhere(topic: str, connect: Connect) -> None:
    device = connect()
    assert device.connected()
    assert not device.publish(topic, {})


@pytest.mark.parametrize("topic", ["devices/turbine-2/commands", "devices/+/commands", "#"])
def test_a_device_cannot_subscribe_elsewhere(topic: str, connect: Connect) -> None:
    device = connect()
    assert device.connected()
    assert not device.subscribe(topic)


def test_a_device_cannot_connect_as_another(connect: Connect) -> None:
    assert not connect("turbine-2").connected()


def test_a_claim_certificate_cannot_send_telemetry(claim: Device) -> None:
    assert not claim.publish("devices/factory/telemetry", {})
