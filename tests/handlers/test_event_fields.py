"""What a state machine or S3 hands to a handler: of the right kind, or refused by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from ml_lens_runtime import machine_events, s3_json, table_row
from ml_lens_runtime.errors import ReadingError
from tests.handlers.shared_clients import one_bucket


@pytest.mark.parametrize(
    ("check", "said"),
    [
        (lambda: machine_events.mapping([]), "^the event must be an object, got list"),
        (lambda: machine_events.text([], "manifest"), "^the event must be an object"),
        (lambda: machine_events.text({"manifest": ""}, "manifest"), "^manifest must be a printable text"),
        (lambda: machine_events.text({"manifest": "a\nb"}, "manifest"), "^manifest must be a printable text"),
        (lambda: machine_events.whole({"count": True}, "count"), "^count must be a whole number, got bool"),
        (lambda: machine_events.counts({"errors": 1.0}, ("errors",)), "^errors must be a whole number, got float"),
    ],
)
def test_a_field_of_another_kind_is_named(check: Callable[[], Any], said: str) -> None:
    with pytest.raises(machine_events.EventError, match=said):
        check()


def test_a_count_that_is_missing_is_none_counted() -> None:
    assert machine_events.counts({"errors": 2}, ("errors", "requests")) == {"errors": 2, "requests": 0}


@pytest.mark.parametrize("uri", ["lake/a.json", "https://lake/a.json", "s3://lake", "s3://lake/", "s3:///a.json"])
def test_what_is_no_uri_of_an_object_is_refused(uri: str) -> None:
    with pytest.raises(s3_json.DocumentError, match="must be an S3 URI with a key"):
        s3_json.place(uri)


@pytest.fixture
def s3() -> Iterator[Any]:
    with one_bucket("lake") as client:
        yield client


def test_a_document_with_a_number_that_json_lacks_is_not_written(s3: Any) -> None:
    with pytest.raises(s3_json.DocumentError, match=r"s3://lake/a\.json must hold finite numbers"):
        s3_json.write(s3, "s3://lake/a.json", {"recall": float("nan")})
    assert s3.list_objects_v2(Bucket="lake")["KeyCount"] == 0


@pytest.mark.parametrize(("body", "said"), [(b"{", "must be JSON"), (b"[1]", "must be a JSON object, got list")])
def test_a_document_that_is_no_object_is_refused(s3: Any, body: bytes, said: str) -> None:
    s3.put_object(Bucket="lake", Key="a.json", Body=body)
    with pytest.raises(s3_json.DocumentError, match=said):
        s3_json.read(s3, "s3://lake/a.json")


@pytest.mark.parametrize(
    "time", [None, 5, "", "yesterday", "2026-11-21T08:00:00", "0001-01-01T00:00:00+14:00", "1600-01-01T00:00:00Z"]
)
def test_a_time_that_the_table_cannot_hold_is_refused(time: Any) -> None:
    with pytest.raises(ReadingError, match="timestamp must be ISO 8601"):
        table_row.event_time(time)


def test_a_time_with_an_offset_is_held_in_utc() -> None:
    assert table_row.event_time("2026-11-21T08:00:00+01:00") == datetime(2026, 11, 21, 7, tzinfo=UTC)


@pytest.mark.parametrize("value", [10**400, float("inf"), float("nan")])
def test_a_number_without_an_end_is_refused(value: float) -> None:
    with pytest.raises(ReadingError, match="vibration is (inf|nan)"):
        table_row.number("vibration", value)


@pytest.mark.parametrize("milliseconds", [10**30, -(10**17), 10**400])
def test_an_arrival_that_the_calendar_does_not_reach_is_refused(milliseconds: int) -> None:
    with pytest.raises(ReadingError, match="received_at is"):
        table_row._received(milliseconds)
