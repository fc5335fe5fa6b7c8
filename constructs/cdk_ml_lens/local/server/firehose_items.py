"""One record on its way through Firehose, and the documents that AWS writes for records that do not arrive."""

from __future__ import annotations

import base64
import time
from dataclasses import dataclass, field
from typing import Any

Document = dict[str, Any]
PROCESSING = "processing-failed"
CONVERSION = "format-conversion-failed"


@dataclass(kw_only=True)
class Item:
    """A record.

    Parameters
    ----------
    id
        Record id.
    source, data
        As it came, and as the transformation left it.
    arrived
        Milliseconds since 1970.
    keys
        Partition keys that the transformation gave.
    """

    id: str
    source: bytes
    data: bytes
    arrived: int
    keys: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Refused:
    """A record for the error prefix: the kind of failure, and the line to write."""

    kind: str
    document: Document


def not_processed(item: Item, code: str, message: str, *, attempts: int = 1, function: str | None = None) -> Refused:
    """Return a failure of transformation or partitioning; it keeps the source record.

    Source: https://docs.aws.amazon.com/firehose/latest/dev/data-transformation.html
    """
    document = {
        **_times(item, attempts),
        "errorCode": code,
        "errorMessage": message,
        "rawData": base64.b64encode(item.source).decode(),
    }
    return Refused(kind=PROCESSING, document=document if function is None else {**document, "lambdaArn": function})


def not_converted(item: Item, code: str, message: str, table: Document) -> Refused:
    """Return a failure of conversion; it keeps what should have been converted.

    Source: https://docs.aws.amazon.com/firehose/latest/dev/record-format-conversion.html
    """
    document = {
        **_times(item, 1),
        "lastErrorCode": code,
        "lastErrorMessage": message,
        "rawData": base64.b64encode(item.data).decode(),
        "sequenceNumber": None,
        "subSequenceNumber": None,
        "dataCatalogTable": table,
    }
    return Refused(kind=CONVERSION, document=document)


def _times(item: Item, attempts: int) -> Document:
    return {
        "attemptsMade": attempts,
        "arrivalTimestamp": item.arrived,
        "attemptEndingTimestamp": int(time.time() * 1000),
    }
