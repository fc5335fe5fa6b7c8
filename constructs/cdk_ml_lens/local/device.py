"""A device: one MQTT connection with mutual TLS, as itself, that publishes telemetry and takes its commands."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

TIMEOUT = 15.0
IN_FLIGHT = 100

OnMessage = Callable[[str, bytes], None]


class DeviceError(RuntimeError):
    """The broker refused the device, or did not answer in time."""


@dataclass(frozen=True, kw_only=True)
class Broker:
    """Where devices connect to, and the root certificate that they trust.

    Parameters
    ----------
    host, port
        Of the MQTT listener with mutual TLS.
    ca_path
        PEM file of the root certificate.
    """

    host: str
    port: int
    ca_path: Path


@dataclass(frozen=True, kw_only=True)
class Identity:
    """A client id with its certificate and private key, PEM files."""

    client_id: str
    certificate: Path
    private_key: Path

    @classmethod
    def save(cls, folder: Path, *, client_id: str, certificate: str, private_key: str) -> Identity:
        """Write certificate and key of a device to its own folder; only the user may read the key."""
        own = folder / client_id
        own.mkdir(parents=True, exist_ok=True)
        identity = cls(client_id=client_id, certificate=own / "certificate.pem", private_key=own / "private.key")
        identity.certificate.write_text(certificate)
        identity.private_key.touch(mode=0o600)
        identity.private_key.write_text(private_key)
        return identity


class Connection:
    """An MQTT 3.1.1 connection with mutual TLS; reconnects by itself and resends what was not acknowledged.

    Parameters
    ----------
    broker, identity
        Where, and as whom.
    on_message
        Called with topic and payload of each message that arrives, on the connection's own thread.
    on_acknowledged
        Called, on that thread too, each time the broker has acknowledged a publication. Default: nothing.
    """

    def __init__(
        self,
        broker: Broker,
        identity: Identity,
        *,
        on_message: OnMessage,
        on_acknowledged: Callable[[], None] | None = None,
    ) -> None:
        self.client_id = identity.client_id
        self._broker = broker
        self._subscribed = threading.Event()
        self._answered = threading.Event()
        self._refusal: str | None = None
        self._filters: list[str] = []
        self._client = mqtt.Client(
            CallbackAPIVersion.VERSION2, client_id=identity.client_id, protocol=mqtt.MQTTv311, clean_session=False
        )
        self._client.tls_set(
            ca_certs=str(broker.ca_path),
            certfile=str(identity.certificate),
            keyfile=str(identity.private_key),
            tls_version=ssl.PROTOCOL_TLS_CLIENT,
        )
        self._client.max_inflight_messages_set(IN_FLIGHT)
        self._client.on_connect = self._connected
        self._client.on_subscribe = self._granted
        if on_acknowledged is not None:
            self._client.on_publish = lambda *_: on_acknowledged()
        self._client.on_message = lambda _client, _data, message: on_message(message.topic, bytes(message.payload))

    def open(self, *filters: str) -> Connection:
        """Connect and subscribe with QoS 1.

        Raises
        ------
        DeviceError
            When the broker refuses the certificate, the client id or a subscription, or is silent.
        """
        self._filters = list(filters)
        try:
            self._client.connect(self._broker.host, self._broker.port, keepalive=30)
        except (OSError, ssl.SSLError) as error:
            raise DeviceError(f"{self.client_id} cannot connect: {error}") from error
        self._client.loop_start()
        self._await(self._answered, "connection")
        if filters:
            self._await(self._subscribed, f"subscription to {', '.join(filters)}")
        return self

    def publish(self, topic: str, body: bytes) -> None:
        """Publish with QoS 1; while the connection is lost, messages wait in this process."""
        self._client.publish(topic, body, qos=1)

    def close(self) -> None:
        """Disconnect and end the connection's thread."""
        self._client.disconnect()
        self._client.loop_stop()

    def __enter__(self) -> Connection:
        """Return the open connection."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        self.close()

    def _await(self, event: threading.Event, what: str) -> None:
        if not event.wait(TIMEOUT):
            self._refusal = f"no answer within {TIMEOUT:.0f} s"
        if self._refusal is not None:
            self.close()
            raise DeviceError(f"{what} of {self.client_id} failed: {self._refusal}")

    def _connected(self, client: mqtt.Client, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if reason.is_failure:
            self._refusal = str(reason)
        elif self._filters:
            client.subscribe([(topic, 1) for topic in self._filters])
        self._answered.set()

    def _granted(self, _client: mqtt.Client, _data: Any, _mid: int, reasons: list[Any], _properties: Any) -> None:
        if any(reason.is_failure for reason in reasons):
            self._refusal = "the broker refused it"
        self._subscribed.set()
