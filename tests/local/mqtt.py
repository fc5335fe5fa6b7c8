"""A device of the tests: MQTT with mutual TLS, one object for one connection."""

from __future__ import annotations

import json
import queue
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from cdk_ml_lens.local import LaptopCloud

SECONDS = 10


class Device:
    """One MQTT 5 connection with a client certificate; keeps what it receives."""

    def __init__(self, cloud: LaptopCloud, client_id: str, certificate: str, key: str, folder: Path) -> None:
        pem, private = folder / f"{client_id}.pem", folder / f"{client_id}.key"
        pem.write_text(certificate)
        private.write_text(key)
        self.messages: queue.Queue[tuple[str, Any]] = queue.Queue()
        self._acknowledged: queue.Queue[tuple[str, list[Any]]] = queue.Queue()
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id, protocol=mqtt.MQTTv5)
        self._client.tls_set(str(cloud.ca_path), str(pem), str(private))
        self._client.on_connect = lambda c, u, f, code, p: self._acknowledged.put(("connect", [code]))
        self._client.on_subscribe = lambda c, u, m, codes, p: self._acknowledged.put(("subscribe", codes))
        self._client.on_publish = lambda c, u, m, code, p: self._acknowledged.put(("publish", [code]))
        self._client.on_disconnect = lambda c, u, f, code, p: self._acknowledged.put(("disconnect", [code]))
        self._client.on_message = lambda c, u, m: self.messages.put((m.topic, json.loads(m.payload or b"null")))
        self._client.connect("127.0.0.1", cloud.mqtt_port)
        self._client.loop_start()

    def _allowed(self, what: str) -> bool:
        """Whether the next answer of the broker grants ``what``."""
        kind, codes = self._acknowledged.get(timeout=SECONDS)
        return kind == what and not any(code.is_failure for code in codes)

    def connected(self) -> bool:
        return self._allowed("connect")

    def subscribe(self, topic: str) -> bool:
        self._client.subscribe(topic, qos=1)
        return self._allowed("subscribe")

    def publish(self, topic: str, payload: object) -> bool:
        self._client.publish(topic, json.dumps(payload), qos=1)
        return self._allowed("publish")

    def ask(self, topic: str, payload: object) -> dict[str, Any]:
        """Publish a request and return the document of its ``accepted`` or ``rejected`` answer."""
        assert self.subscribe(f"{topic}/accepted")
        assert self.subscribe(f"{topic}/rejected")
        assert self.publish(topic, payload)
        answered, document = self.messages.get(timeout=SECONDS)
        assert answered == f"{topic}/accepted", document
        return dict(document)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()
