"""What retraining's handler is told: a cause, the end of an execution, or only to look."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ml_lens_runtime.retrain_state import Cause

_TEXT = 200  # characters of a cause
MANUAL = "manual"


class UnknownEventError(Exception):
    """An event that no trigger of ours sends."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Ended:
    """An execution's end, as EventBridge tells it."""

    execution: str
    status: str
    error: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Look:
    """Nothing happened: look whether something is left to do."""


Signal = Cause | Ended | Look


def parse(event: Any, *, now: float) -> Signal:
    """Return what an event means.

    Parameters
    ----------
    event : Any
        What Lambda handed over.
    now : float
        Seconds since the epoch.

    Raises
    ------
    UnknownEventError
        It is none of those that retraining subscribes to.
    """
    if isinstance(event, dict):
        try:
            return _parse(event, now)
        except (KeyError, TypeError, AttributeError) as error:
            raise UnknownEventError(f"a field is missing or has the wrong type: {error}") from None
    raise UnknownEventError("not an object")


def _parse(event: Mapping[str, Any], now: float) -> Signal:
    reader = _READERS.get((event.get("source"), event.get("detail-type")))
    if reader is not None:
        return reader(event, now)
    if event.get("look") is True:
        return Look()
    if event.get("cause") == "schedule":
        at, name = str(event["at"]), str(event["name"])
        return Cause(id=f"schedule#{name}#{at}", kind="schedule", text=f"schedule {name} at {at}"[:_TEXT], at=now)
    if event.get("cause") == MANUAL:
        return _manual(event, now)
    raise UnknownEventError(f"no cause: {sorted(map(str, event))}"[:_TEXT])


def _manual(event: Mapping[str, Any], now: float) -> Cause:
    given, dataset = event["id"], event.get("dataset", "")
    if not isinstance(given, str) or not given or not isinstance(dataset, str):
        raise UnknownEventError("id must be a text of yours, the same for repeats; dataset must be a URI")
    reason = str(event.get("reason", given))
    return Cause(id=f"manual#{given}", kind=MANUAL, text=f"by hand: {reason}"[:_TEXT], at=now, dataset=dataset)


def _object_created(event: Mapping[str, Any], now: float) -> Signal:
    """Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html."""
    detail = event["detail"]
    bucket, written = detail["bucket"]["name"], detail["object"]
    mark = written.get("version-id", written.get("sequencer", written.get("etag", event["id"])))
    return _data(bucket, written["key"], mark, _moment(event, now))


def _api_call(event: Mapping[str, Any], now: float) -> Signal:
    """Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/cloudtrail-logging-understanding-s3-entries.html."""
    detail = event["detail"]
    asked = detail["requestParameters"]
    return _data(asked["bucketName"], asked["key"], detail["eventID"], _moment(event, now))


def _moment(event: Mapping[str, Any], now: float) -> float:
    """Return when an event happened, in seconds since the epoch; arrivals may be told out of order."""
    try:
        return datetime.fromisoformat(event["time"]).timestamp()
    except (KeyError, OSError, OverflowError, TypeError, ValueError):
        return now


def _data(bucket: str, key: str, mark: str, at: float) -> Cause:
    uri = f"s3://{_text(bucket)}/{_text(key)}"
    return Cause(id=f"data#{uri}#{mark}", kind="data", text=f"new data {uri}"[:_TEXT], at=at, dataset=uri)


def _alarm(event: Mapping[str, Any], now: float) -> Signal:
    """Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-and-eventbridge.html."""
    detail = event["detail"]
    name, state = _text(detail["alarmName"]), detail["state"]
    if state["value"] != "ALARM":
        return Look()
    mark = state.get("timestamp", event.get("id"))
    text = f"drift: alarm {name}: {state.get('reason', 'no reason given')}"[:_TEXT]
    return Cause(id=f"drift#{name}#{mark}", kind="drift", text=text, at=now, alarm=name)


def _execution(event: Mapping[str, Any], _now: float) -> Signal:
    """Source: https://docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html."""
    detail = event["detail"]
    error = detail.get("error")
    told = "" if error is None else str(error)
    return Ended(execution=_text(detail["executionArn"]), status=_text(detail["status"]), error=told)


def _text(value: object) -> str:
    """Return a text; anything else would be kept in the state, where every later event would stumble over it."""
    if not isinstance(value, str):
        raise TypeError(f"{type(value).__name__} instead of a text")
    return value


_READERS: dict[tuple[Any, Any], Callable[[Mapping[str, Any], float], Signal]] = {
    ("aws.s3", "Object Created"): _object_created,
    ("aws.s3", "AWS API Call via CloudTrail"): _api_call,
    ("aws.cloudwatch", "CloudWatch Alarm State Change"): _alarm,
    ("aws.states", "Step Functions Execution Status Change"): _execution,
}
