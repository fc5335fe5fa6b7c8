"""Data capture: JSON lines in S3, in SageMaker's layout, sampled as the endpoint configuration says."""

from __future__ import annotations

import base64
import json
import logging
import random
import threading
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from . import storage

FLUSH_SECONDS = 1.0
logger = logging.getLogger("laptop_cloud")
Config = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """One request and its answer."""

    endpoint: str
    variant: str
    event_id: str
    request_type: str
    request: bytes
    response_type: str
    response: bytes
    at: float
    inference_id: str | None
    attributes: str | None


class Capture:
    """Gathers captured exchanges and writes them once a second."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lines: dict[tuple[str, str | None], list[str]] = {}
        self._random = random.Random()

    def add(self, config: Config, exchange: Exchange) -> None:
        """Record ``exchange`` if ``config``, a DataCaptureConfig, asks for it."""
        if not config.get("EnableCapture"):
            return
        with self._lock:
            if self._random.uniform(0, 100) >= float(config.get("InitialSamplingPercentage", 100)):
                return
            place = (_folder(config, exchange), config.get("KmsKeyId"))
            if not self._lines:
                timer = threading.Timer(FLUSH_SECONDS, self.flush)
                timer.daemon = True
                timer.start()
            self._lines.setdefault(place, []).append(json.dumps(record(config, exchange)))

    def flush(self) -> None:
        """Write everything gathered so far."""
        with self._lock:
            lines, self._lines = self._lines, {}
        for (folder, kms_key), rows in lines.items():
            moment = datetime.now(UTC).strftime("%M-%S-%f")[:-3]
            name = f"{moment}-{uuid.uuid4()}.jsonl"
            try:
                storage.put(f"{folder}/{name}", ("\n".join(rows) + "\n").encode(), kms_key=kms_key)
            except Exception:
                logger.exception("captured data was not written to %s", folder)


def record(config: Config, exchange: Exchange) -> Config:
    """Return the capture record of ``exchange``, in SageMaker's schema version 0."""
    modes = {option["CaptureMode"] for option in config.get("CaptureOptions") or []}
    both = "InputAndOutput" in modes
    captured: Config = {}
    if both or "Input" in modes:
        captured["endpointInput"] = _side(config, "INPUT", exchange.request_type, exchange.request)
    if both or "Output" in modes:
        captured["endpointOutput"] = _side(config, "OUTPUT", exchange.response_type, exchange.response)
    moment = datetime.fromtimestamp(exchange.at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    metadata: Config = {"eventId": exchange.event_id, "inferenceTime": moment}
    if exchange.attributes is not None:
        metadata["customAttributes"] = [exchange.attributes]
    if exchange.inference_id is not None:
        metadata["inferenceId"] = exchange.inference_id
    return {"captureData": captured, "eventMetadata": metadata, "eventVersion": "0"}


def _folder(config: Config, exchange: Exchange) -> str:
    hour = datetime.fromtimestamp(exchange.at, UTC).strftime("%Y/%m/%d/%H")
    return f"{config['DestinationS3Uri'].rstrip('/')}/{exchange.endpoint}/{exchange.variant}/{hour}"


def _side(config: Config, mode: str, content_type: str, body: bytes) -> Config:
    encoding = _encoding(config.get("CaptureContentTypeHeader") or {}, content_type)
    data = base64.b64encode(body).decode() if encoding == "BASE64" else body.decode(errors="replace")
    return {"observedContentType": content_type, "mode": mode, "data": data, "encoding": encoding}


def _encoding(header: Config, content_type: str) -> str:
    kind = content_type.split(";")[0].strip()
    if kind in (header.get("CsvContentTypes") or []):
        return "CSV"
    return "JSON" if kind in (header.get("JsonContentTypes") or []) else "BASE64"
