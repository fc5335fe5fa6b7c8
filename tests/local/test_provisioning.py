"""Fleet provisioning by claim: a device without a valid claim, or with a wrong template, gets no identity."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from cdk_ml_lens.local import LaptopCloud
from cdk_ml_lens.local.device import Broker, Connection, DeviceError, Identity
from cdk_ml_lens.local.provisioning import make_claim, provision

pytestmark = pytest.mark.laptop_cloud


@pytest.fixture
def broker(laptop_cloud: LaptopCloud) -> Broker:
    return Broker(host="localhost", port=laptop_cloud.mqtt_port, ca_path=laptop_cloud.ca_path)


@pytest.fixture
def claim(laptop_cloud: LaptopCloud, tmp_path: Path) -> Identity:
    name, iot = f"claim-{uuid.uuid4().hex[:8]}", laptop_cloud.client("iot")
    statement = {"Effect": "Allow", "Action": "iot:*", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iot.create_policy(policyName=name, policyDocument=document)
    return make_claim(iot, policy_name=name, folder=tmp_path)


def self_signed(folder: Path) -> Identity:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "stranger")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return Identity.save(
        folder,
        client_id="stranger",
        certificate=certificate.public_bytes(serialization.Encoding.PEM).decode(),
        private_key=private.decode(),
    )


def test_the_private_key_is_for_its_owner_only(claim: Identity) -> None:
    assert claim.private_key.stat().st_mode & 0o077 == 0


def test_fails_with_the_reason_when_there_is_no_such_template(broker: Broker, claim: Identity, tmp_path: Path) -> None:
    with pytest.raises(DeviceError, match=r"provision/json/rejected: .*[Tt]emplate"):
        provision(broker, claim, serial_number="pump-1", template="NoSuchTemplate", folder=tmp_path)

    assert not (tmp_path / "pump-1").exists()


def test_fails_for_a_certificate_that_iot_did_not_issue(
    broker: Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cdk_ml_lens.local.device.TIMEOUT", 3.0)
    with pytest.raises(DeviceError, match="stranger"):
        Connection(broker, self_signed(tmp_path), on_message=lambda *_: None).open()
