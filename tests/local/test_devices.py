"""With enforcement on: fleet provisioning by claim, device policies, IAM for SageMaker, TLS-only buckets."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from cdk_ml_lens.local import LaptopCloud, ModelRuntime
from tests.local.conftest import FAKE_SERVER
from tests.local.mqtt import Device
from tests.local.support import inline_function, role, write_assembly

pytestmark = pytest.mark.laptop_cloud
IOT = "arn:aws:iot:us-east-1:000000000000"
Connect = Callable[..., Device]
THING = "${iot:Connection.Thing.ThingName}"


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LaptopCloud]:
    models = ModelRuntime(python=Path(sys.executable), server=FAKE_SERVER)
    with LaptopCloud.start(auth=True, state_dir=tmp_path_factory.mktemp("guarded"), models=models) as cloud:
        yield cloud


def policy(*statements: tuple[list[str] | str, list[str] | str]) -> dict[str, Any]:
    rows = [{"Effect": "Allow", "Action": action, "Resource": resource} for action, resource in statements]
    return {"Version": "2012-10-17", "Statement": rows}


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


INVOKE = """
    import boto3
    def handler(event, context):
        try:
            boto3.client("sagemaker-runtime").invoke_endpoint(EndpointName=event["name"], Body=b"")
        except Exception as error:
            return error.response["Error"]["Code"]
"""


def test_a_function_may_invoke_only_the_endpoint_that_its_role_names(guarded: LaptopCloud, tmp_path: Path) -> None:
    document = policy(("sagemaker:InvokeEndpoint", "arn:aws:sagemaker:us-east-1:000000000000:endpoint/mine"))
    resources = {
        "Role": role(Policies=[{"PolicyName": "invoke", "PolicyDocument": document}]),
        "Function": inline_function(INVOKE),
    }
    template = {"Resources": resources, "Outputs": {"Name": {"Value": {"Ref": "Function"}}}}
    name = guarded.deploy(write_assembly(tmp_path, "Invoke", template), "Invoke").outputs["Name"]
    codes = {}
    for endpoint in ("mine", "theirs"):
        answer = guarded.client("lambda").invoke(FunctionName=name, Payload=json.dumps({"name": endpoint}))
        codes[endpoint] = json.loads(answer["Payload"].read())
    assert codes == {"mine": "ValidationError", "theirs": "AccessDeniedException"}  # allowed, but not deployed


@pytest.mark.parametrize(("denied_when", "works"), [("false", True), ("true", False)])
def test_loopback_traffic_counts_as_tls(denied_when: str, works: bool, guarded: LaptopCloud) -> None:
    bucket, s3 = f"tls-{denied_when}", guarded.client("s3")
    s3.create_bucket(Bucket=bucket)
    statement = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": denied_when}},
    }
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    user = as_user(guarded, f"user-{denied_when}", policy(("s3:*", "*")))
    if works:
        user.put_object(Bucket=bucket, Key="a", Body=b"1")
    else:
        with pytest.raises(ClientError, match="AccessDenied"):
            user.put_object(Bucket=bucket, Key="a", Body=b"1")


def as_user(cloud: LaptopCloud, name: str, document: dict[str, Any]) -> Any:
    """Return an S3 client of a new user with the policy ``document``; the root user passes every check."""
    iam = cloud.client("iam")
    iam.create_user(UserName=name)
    iam.put_user_policy(UserName=name, PolicyName="own", PolicyDocument=json.dumps(document))
    keys = iam.create_access_key(UserName=name)["AccessKey"]
    return boto3.client(
        "s3",
        endpoint_url=cloud.endpoint_url,
        region_name=cloud.region,
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        config=Config(s3={"addressing_style": "path"}),
    )
