"""How the readings of the fault suite come in: some from devices over MQTT, most straight into the rule's queue."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from cdk_ml_lens.local.demo_accounts import Accounts
from cdk_ml_lens.local.demo_plan import Outgoing
from cdk_ml_lens.local.device import Broker, Connection
from cdk_ml_lens.local.faults.messages import rule_output
from cdk_ml_lens.local.faults.stage import Stage
from cdk_ml_lens.local.provisioning import make_claim, provision

MQTT_EACH = 20
"""Every so many messages, one is published by its device; the topic rule writes it to the queue."""

BATCH = 10
RECEIVED = 1_800_000_000_000
_PAUSE = 0.02


class Door:
    """Connected devices, and the source queue; a context manager that disconnects them.

    Parameters
    ----------
    stage
        The flagship.
    folder
        Where certificates and keys are kept.
    """

    def __init__(self, stage: Stage, folder: Path) -> None:
        self._stage, self._folder = stage, folder
        self._sqs = stage.cloud.client("sqs")
        self._devices: dict[str, Connection] = {}
        self._accounts: Accounts | None = None
        self._opened = ExitStack()
        self._sent = 0

    def connect(self, names: Sequence[str]) -> None:
        """Provision every device by claim and connect it as itself."""
        cloud, outputs = self._stage.cloud, self._stage.outputs
        broker = Broker(host="localhost", port=cloud.mqtt_port, ca_path=cloud.ca_path)
        claim = make_claim(cloud.client("iot"), policy_name=outputs["ClaimPolicyName"], folder=self._folder)
        template = outputs["ProvisioningTemplateName"]
        for name in names:
            identity = provision(broker, claim, serial_number=name, template=template, folder=self._folder)
            connection = Connection(
                broker, identity, on_message=lambda _topic, _body: None, on_acknowledged=self._acknowledged
            )
            self._devices[name] = self._opened.enter_context(connection.open())

    def send(self, messages: Sequence[Outgoing], accounts: Accounts) -> None:
        """Send all messages; they are noted in the accounts before they go."""
        self._accounts = accounts
        direct: list[Outgoing] = []
        for message in messages:
            accounts.publishing(message)
            self._sent += 1
            if self._sent % MQTT_EACH == 0:
                topic = f"{self._stage.outputs['TopicPrefix']}/{message.device_id}/telemetry"
                self._devices[message.device_id].publish(topic, message.body)
                continue
            direct.append(message)
            if len(direct) == BATCH:
                self._queue(direct, accounts)
                direct = []
        self._queue(direct, accounts)

    def _queue(self, messages: Sequence[Outgoing], accounts: Accounts) -> None:
        entries = [
            {"Id": str(number), "MessageBody": rule_output(message, number=self._sent, received_at=RECEIVED)}
            for number, message in enumerate(messages)
        ]
        while entries:
            entries = self._put(entries)
        for _ in messages:
            accounts.acknowledge()
        time.sleep(_PAUSE)  # two cores: the pipeline needs them as well

    def _put(self, entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Put messages and return those that the queue did not take."""
        try:
            answer = self._sqs.send_message_batch(QueueUrl=self._stage.queue_url, Entries=entries)
        except ClientError:  # throttled, if the fault is that
            time.sleep(_PAUSE)
            return entries
        refused = {failed["Id"] for failed in answer.get("Failed", [])}
        return [entry for entry in entries if entry["Id"] in refused]

    def _acknowledged(self) -> None:
        if self._accounts is not None:
            self._accounts.acknowledge()

    def __enter__(self) -> Door:
        """Return the door."""
        return self

    def __exit__(self, *_: object) -> None:
        """Disconnect every device."""
        self._opened.close()
