"""The window of each device in DynamoDB: its recent readings, one per instant, the first received stays."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from ml_lens_runtime import aws_errors
from ml_lens_runtime.errors import ReadingError
from ml_lens_runtime.feature_definition import FeatureSet
from ml_lens_runtime.normalisation import Parameters
from ml_lens_runtime.window_features import DeviceWindow, Features, Reading

_FREE = "attribute_not_exists(device_id) OR received_at > :at OR (received_at = :at AND reading_id >= :id)"
_WITHIN = "device_id = :device AND event_time BETWEEN :first AND :last"


@dataclass(frozen=True, kw_only=True)
class WindowStore:
    """The window table.

    Attributes
    ----------
    client : Any
        DynamoDB client.
    table : str
        Its key: ``device_id``, ``event_time`` (milliseconds).
    expires : Callable
        Returns when an item put now may be deleted, in seconds since the epoch.
    """

    client: Any
    table: str
    expires: Callable[[], int]

    def put(self, reading: Reading) -> bool:
        """Keep a reading unless another one of the same instant was received before; a second time changes nothing.

        Returns
        -------
        bool
            False: it is a duplicate.
        """
        try:
            self.client.put_item(
                TableName=self.table,
                Item=_item(reading) | {"expires_at": {"N": str(self.expires())}},
                ConditionExpression=_FREE,
                ExpressionAttributeValues={":at": {"N": str(reading.received_at)}, ":id": {"S": reading.reading_id}},
            )
        except ClientError as error:
            if aws_errors.code(error) == "ConditionalCheckFailedException":
                return False
            raise
        return True

    def read(self, device_id: str, *, first: int, last: int) -> list[Reading]:
        """Return the readings of one device from ``first`` to ``last``, both included, in milliseconds."""
        found: list[Reading] = []
        page: dict[str, Any] = {}
        while True:
            answer = self.client.query(
                TableName=self.table,
                KeyConditionExpression=_WITHIN,
                ExpressionAttributeValues={
                    ":device": {"S": device_id},
                    ":first": {"N": str(first)},
                    ":last": {"N": str(last)},
                },
                ConsistentRead=True,
                **page,
            )
            found += [_reading(item) for item in answer["Items"]]
            if "LastEvaluatedKey" not in answer:
                return found
            page = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}


def assess(
    readings: Sequence[Reading], *, store: WindowStore, definition: FeatureSet, parameters: Parameters
) -> list[Features | ReadingError]:
    """Put the readings of one device into its window and return the features of each, or why it has none.

    Parameters
    ----------
    readings : sequence of Reading
        Of one device, in any order; they count as arrived in the order of ``received_at``.
    """
    kept = {id(reading): store.put(reading) for reading in sorted(readings, key=lambda reading: reading.rank)}
    ours = [reading for reading in readings if kept[id(reading)]]
    known = {reading.event_time: reading for reading in ours}
    for first, last in _spans(ours, before=definition.lookback):
        known |= {reading.event_time: reading for reading in store.read(ours[0].device_id, first=first, last=last)}
    window = DeviceWindow(known.values(), definition=definition, parameters=parameters)
    return [_outcome(reading, kept=kept[id(reading)], window=window) for reading in readings]


def _outcome(reading: Reading, *, kept: bool, window: DeviceWindow) -> Features | ReadingError:
    if not kept:
        return ReadingError("duplicate", "another reading of the same device and instant came before")
    try:
        return window.features(reading)
    except ReadingError as fault:
        return fault


def _spans(readings: Sequence[Reading], *, before: int) -> list[tuple[int, int]]:
    """Return the stretches of time that the readings look back on, joined where they meet."""
    spans: list[tuple[int, int]] = []
    for at in sorted(reading.event_time for reading in readings):
        if spans and at - before <= spans[-1][1]:
            spans[-1] = (spans[-1][0], at)
        else:
            spans.append((at - before, at))
    return spans


def _item(reading: Reading) -> dict[str, dict[str, str]]:
    return {
        "device_id": {"S": reading.device_id},
        "event_time": {"N": str(reading.event_time)},
        "received_at": {"N": str(reading.received_at)},
        "reading_id": {"S": reading.reading_id},
        # text, because a DynamoDB number holds no float below 1E-130
        "measured": {"S": json.dumps(dict(reading.values), separators=(",", ":"))},
    }


def _reading(item: dict[str, Any]) -> Reading:
    return Reading(
        device_id=item["device_id"]["S"],
        reading_id=item["reading_id"]["S"],
        event_time=int(item["event_time"]["N"]),
        received_at=int(item["received_at"]["N"]),
        values=json.loads(item["measured"]["S"]),
    )
