"""Fleet provisioning by claim over MQTT: a device trades the claim certificate for one of its own and registers itself.

Source: https://docs.aws.amazon.com/iot/latest/developerguide/fleet-provision-api.html
"""

from __future__ import annotations

import json
import queue
import uuid
from pathlib import Path
from typing import Any

from cdk_ml_lens.local.device import TIMEOUT, Broker, Connection, DeviceError, Identity

CREATE_KEYS = "$aws/certificates/create/json"


def make_claim(iot: Any, *, policy_name: str, folder: Path) -> Identity:
    """Create the claim certificate that a manufacturer would put into every device.

    Parameters
    ----------
    iot
        boto3 client of IoT.
    policy_name
        The fleet's claim policy: it allows provisioning and nothing else.
    folder
        Where certificate and key are written.
    """
    made = iot.create_keys_and_certificate(setAsActive=True)
    iot.attach_policy(policyName=policy_name, target=made["certificateArn"])
    return Identity.save(
        folder, client_id="claim", certificate=made["certificatePem"], private_key=made["keyPair"]["PrivateKey"]
    )


def provision(broker: Broker, claim: Identity, *, serial_number: str, template: str, folder: Path) -> Identity:
    """Register one device as the holder of a claim certificate.

    Parameters
    ----------
    broker, claim
        Where, and with which certificate.
    serial_number
        Becomes the thing name, by the provisioning template.
    template
        Name of the provisioning template.
    folder
        Where the device keeps its own certificate and key.

    Raises
    ------
    DeviceError
        When IoT rejects the claim, the registration, or does not answer.
    """
    register = f"$aws/provisioning-templates/{template}/provision/json"
    session = Identity(
        client_id=f"claim-{uuid.uuid4().hex[:12]}", certificate=claim.certificate, private_key=claim.private_key
    )
    answers: queue.Queue[tuple[str, bytes]] = queue.Queue()
    topics = [f"{topic}/{end}" for topic in (CREATE_KEYS, register) for end in ("accepted", "rejected")]
    connection = Connection(broker, session, on_message=lambda topic, body: answers.put((topic, body)))
    with connection.open(*topics):
        made = _ask(connection, answers, CREATE_KEYS, {})
        request = {
            "certificateOwnershipToken": made["certificateOwnershipToken"],
            "parameters": {"SerialNumber": serial_number},
        }
        thing = _ask(connection, answers, register, request)
    return Identity.save(
        folder,
        client_id=str(thing["thingName"]),
        certificate=str(made["certificatePem"]),
        private_key=str(made["privateKey"]),
    )


def _ask(
    connection: Connection, answers: queue.Queue[tuple[str, bytes]], topic: str, request: dict[str, Any]
) -> dict[str, Any]:
    connection.publish(topic, json.dumps(request).encode())
    try:
        answered, body = answers.get(timeout=TIMEOUT)
    except queue.Empty:
        raise DeviceError(f"no answer on {topic} within {TIMEOUT:.0f} s") from None
    if answered != f"{topic}/accepted":
        raise DeviceError(f"{answered}: {body.decode(errors='replace')}")
    return dict(json.loads(body))
