"""Firehose delivery with buffering: what arrives within a second becomes one object, as the buffering hints intend."""

from __future__ import annotations

import contextvars
import gzip
import threading
from dataclasses import dataclass, field
from typing import Any

from ministack.services import firehose

FLUSH_SECONDS = 1.0  # instead of the stream's IntervalInSeconds (60 to 900 on AWS)
MEBIBYTE = 1024 * 1024
Config = dict[str, Any]


@dataclass(kw_only=True)
class _Buffer:
    """Records of one delivery stream destination that are not in S3 yet."""

    stream: Config
    destination: Config
    chunks: list[bytes] = field(default_factory=list)
    size: int = 0

    def body(self) -> bytes:
        return b"".join(self.chunks)


class _Buffers:
    """All buffers, each flushed by a timer or when it holds ``SizeInMBs``."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: dict[tuple[str, int], _Buffer] = {}

    def add(self, stream: Config, dest: Config, records: list[tuple[str, bytes]]) -> None:
        """Take records of one put; objects that must be written one by one go straight through."""
        config = dest["config"]
        if _one_by_one(config):
            _ORIGINAL(stream, dest, records)
            return
        payloads = [payload for _, payload in firehose._apply_lambda_processors(stream, dest, records)]
        hint = (config.get("BufferingHints") or {}).get("SizeInMBs") or 5
        key = (stream["arn"], id(dest))
        with self._lock:
            buffer = self._open.get(key)
            if buffer is None:
                buffer = self._open[key] = _Buffer(stream=stream, destination=dest)
                self._flush_later(key)
            buffer.chunks.extend(payloads)
            buffer.size += sum(map(len, payloads))
            full = buffer.size >= hint * MEBIBYTE
        if full:
            self._flush(key)

    def _flush_later(self, key: tuple[str, int]) -> None:
        timer = threading.Timer(FLUSH_SECONDS, contextvars.copy_context().run, (self._flush, key))
        timer.daemon = True
        timer.start()

    def _flush(self, key: tuple[str, int]) -> None:
        with self._lock:
            buffer = self._open.pop(key, None)
        if buffer is None or not buffer.chunks:
            return
        destination, body = buffer.destination, buffer.body()
        if destination["config"].get("CompressionFormat") == "GZIP":
            extension = destination["config"].get("FileExtension") or ".gz"
            destination = {**destination, "config": {**destination["config"], "FileExtension": extension}}
            body = gzip.compress(body, mtime=0)
        firehose._deliver_to_s3(buffer.stream, destination, body)


_ORIGINAL = firehose._deliver_records_to_s3


def install() -> None:
    """Deliver through buffers."""
    firehose._deliver_records_to_s3 = _Buffers().add


def _one_by_one(config: Config) -> bool:
    converted = (config.get("DataFormatConversionConfiguration") or {}).get("Enabled")
    partitioned = (config.get("DynamicPartitioningConfiguration") or {}).get("Enabled")
    return bool(converted or partitioned)
