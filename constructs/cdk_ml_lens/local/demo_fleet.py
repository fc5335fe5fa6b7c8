"""The demo's fleet: provisions each device by claim, connects it as itself, and lets it publish at a bounded rate."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any

from cdk_ml_lens.local.demo_accounts import Accounts
from cdk_ml_lens.local.demo_plan import Outgoing
from cdk_ml_lens.local.device import Broker, Connection
from cdk_ml_lens.local.provisioning import make_claim, provision

UNACKNOWLEDGED = 200
"""Publications that may be under way at a time, over all devices."""

ACKNOWLEDGE_SECONDS = 60.0


class Fleet:
    """Connected devices; a context manager that disconnects them.

    Parameters
    ----------
    broker
        Where they connect to.
    outputs
        Outputs of the flagship stack: claim policy, provisioning template, topic prefix.
    accounts
        Where publications and alerts are noted.
    """

    def __init__(self, *, broker: Broker, outputs: dict[str, str], accounts: Accounts) -> None:
        self._broker, self._outputs, self._accounts = broker, outputs, accounts
        self._connections: dict[str, Connection] = {}
        self._opened = ExitStack()

    def provision(self, names: Sequence[str], *, iot: Any, folder: Path) -> None:
        """Give each device a certificate of its own by fleet provisioning, and connect it with that.

        Parameters
        ----------
        names
            Serial numbers; they become thing names.
        iot
            boto3 client of IoT, to make the one claim certificate that all devices share.
        folder
            Where certificates and keys are kept.
        """
        claim = make_claim(iot, policy_name=self._outputs["ClaimPolicyName"], folder=folder)
        for name in names:
            identity = provision(
                self._broker,
                claim,
                serial_number=name,
                template=self._outputs["ProvisioningTemplateName"],
                folder=folder,
            )
            connection = Connection(
                self._broker,
                identity,
                on_message=self._listener(name),
                on_acknowledged=self._accounts.acknowledge,
            )
            self._connections[name] = self._opened.enter_context(connection.open(self._topic(name, "commands")))

    def stream(self, messages: Sequence[Outgoing], *, rate: float, on_tick: Callable[[], None]) -> None:
        """Publish all messages and wait until the broker has acknowledged them.

        Parameters
        ----------
        messages
            In this order, each by its own device.
        rate
            Messages per second, over all devices.
        on_tick
            Called between messages, to watch or to stop the run.
        """
        start = time.monotonic()
        for number, message in enumerate(messages):
            while time.monotonic() < start + number / rate or self._accounts.waiting >= UNACKNOWLEDGED:
                time.sleep(0.005)
                on_tick()
            self._accounts.publishing(message)
            topic = self._topic(message.device_id, "telemetry")
            self._connections[message.device_id].publish(topic, message.body)
        deadline = time.monotonic() + ACKNOWLEDGE_SECONDS
        while self._accounts.waiting and time.monotonic() < deadline:
            time.sleep(0.05)
            on_tick()

    def __enter__(self) -> Fleet:
        """Return the fleet."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Disconnect every device."""
        self._opened.close()

    def _topic(self, name: str, leaf: str) -> str:
        return f"{self._outputs['TopicPrefix']}/{name}/{leaf}"

    def _listener(self, name: str) -> Callable[[str, bytes], None]:
        def on_message(topic: str, body: bytes) -> None:
            alert = json.loads(body)
            receiver = name if topic == self._topic(name, "commands") else topic
            self._accounts.alerted(receiver=receiver, device_id=alert["device_id"], key=alert["alert_id"])

        return on_message
