"""Firehose's buffers: what arrives within a second is delivered together, as the buffering hints intend."""

from __future__ import annotations

import contextvars
import logging
import threading
import time
from dataclasses import dataclass, field
from typing import Any

from ministack.services import firehose

from .firehose_delivery import Delivery
from .firehose_items import Item

logger = logging.getLogger("laptop_cloud")
FLUSH_SECONDS = 1.0  # instead of the stream's IntervalInSeconds (0 to 900 on AWS)
MEBIBYTE = 1024 * 1024
Config = dict[str, Any]


@dataclass(kw_only=True)
class _Buffer:
    """Records of one delivery stream's destination that are not in S3 yet."""

    stream: Config
    destination: Config
    items: list[Item] = field(default_factory=list)
    size: int = 0


class _Buffers:
    """All buffers, each flushed by a timer or when it holds ``SizeInMBs``; the flush makes the partitions."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: dict[tuple[str, int], _Buffer] = {}

    def add(self, stream: Config, dest: Config, records: list[tuple[str, bytes]]) -> None:
        """Take records of one put."""
        now = int(time.time() * 1000)
        hint = (dest["config"].get("BufferingHints") or {}).get("SizeInMBs") or 5
        key = (stream["arn"], id(dest))
        with self._lock:
            buffer = self._open.get(key)
            if buffer is None:
                buffer = self._open[key] = _Buffer(stream=stream, destination=dest)
                self._flush_after(FLUSH_SECONDS, key, buffer)
            buffer.items.extend(Item(id=name, source=data, data=data, arrived=now) for name, data in records)
            buffer.size += sum(len(data) for _, data in records)
            if buffer.size >= int(hint) * MEBIBYTE:
                del self._open[key]
                self._flush_after(0.0, key, buffer)

    def _flush_after(self, seconds: float, key: tuple[str, int], buffer: _Buffer) -> None:
        timer = threading.Timer(seconds, contextvars.copy_context().run, (self._flush, key, buffer))
        timer.daemon = True
        timer.start()

    def _flush(self, key: tuple[str, int], buffer: _Buffer) -> None:
        with self._lock:
            if self._open.get(key) is buffer:
                del self._open[key]
            items, buffer.items = buffer.items, []
        if not items:
            return
        try:
            Delivery(stream=buffer.stream, config=buffer.destination["config"], items=items).run()
        except Exception:
            logger.exception("Firehose %s lost %d records", buffer.stream["name"], len(items))


def install() -> None:
    """Deliver through buffers."""
    firehose._deliver_records_to_s3 = _Buffers().add
