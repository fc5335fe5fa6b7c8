"""The window table on moto's DynamoDB: the first received stays, a window is read alone and in pages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from ml_lens_runtime.errors import ReadingError
from ml_lens_runtime.normalisation import Parameters
from ml_lens_runtime.window_features import Reading
from ml_lens_runtime.window_store import WindowStore, assess
from tests.handlers.window_support import START, at, definition, feature, make_window_table


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Iterator[WindowStore]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        client = boto3.client("dynamodb", region_name="us-east-1")
        make_window_table(client)
        yield WindowStore(client=client, table="window", expires=lambda: 1_900_000_000)


def everything(store: WindowStore, device: str = "turbine-1") -> list[Reading]:
    return store.read(device, first=0, last=2 * START)


def test_a_reading_comes_back_as_it_was_put(store: WindowStore) -> None:
    reading = at(0, values={"temperature": 0.1 + 0.2, "pressure": 5e-324})
    assert store.put(reading)
    assert everything(store) == [reading]
    (item,) = store.client.scan(TableName="window")["Items"]
    assert item["expires_at"] == {"N": "1900000000"}


def test_a_duplicate_does_not_replace_the_first_received(store: WindowStore) -> None:
    first = at(0, 10.0, reading_id="b")
    assert store.put(first)
    assert not store.put(at(0, 11.0, reading_id="a", delay=2.0))
    assert not store.put(at(0, 11.0, reading_id="c"))  # the same millisecond: the smaller id stays
    assert everything(store) == [first]


def test_the_same_reading_again_is_no_duplicate(store: WindowStore) -> None:
    assert [store.put(at(0, 10.0)) for _ in range(3)] == [True] * 3
    assert everything(store) == [at(0, 10.0)]


def test_one_that_was_received_earlier_but_worked_on_later_takes_its_place(store: WindowStore) -> None:
    store.put(at(0, 11.0, delay=5.0, reading_id="later"))
    assert store.put(at(0, 10.0, delay=1.0, reading_id="earlier"))
    assert [reading.reading_id for reading in everything(store)] == ["earlier"]


def test_a_window_holds_one_device_and_one_stretch_of_time(store: WindowStore) -> None:
    for second in range(10):
        store.put(at(second))
    store.put(at(5, device_id="turbine-2"))
    found = store.read("turbine-1", first=START + 3000, last=START + 5000)
    assert [reading.event_time - START for reading in found] == [3000, 4000, 5000]


def test_a_window_of_several_pages_is_read_whole(store: WindowStore, monkeypatch: pytest.MonkeyPatch) -> None:
    for second in range(7):
        store.put(at(second))
    query, pages = store.client.query, []

    def paged(**request: Any) -> dict[str, Any]:
        assert request["ConsistentRead"] is True
        pages.append(request.get("ExclusiveStartKey"))
        answer: dict[str, Any] = query(**request, Limit=3)
        return answer

    monkeypatch.setattr(store.client, "query", paged)
    assert [reading.event_time for reading in everything(store)] == [START + 1000 * second for second in range(7)]
    assert len(pages) == 3


def test_another_refusal_is_not_taken_for_a_duplicate(store: WindowStore) -> None:
    gone = WindowStore(client=store.client, table="gone", expires=lambda: 0)
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        gone.put(at(0))


def test_readings_of_a_batch_see_each_other_by_arrival_whatever_their_order(store: WindowStore) -> None:
    rules = definition(feature("mean", "mean", 60))
    batch = [at(20, 30.0), at(0, 10.0), at(10, 20.0, delay=60.0)]
    assert assess(batch, store=store, definition=rules, parameters=Parameters()) == [(20.0,), (10.0,), (15.0,)]


def test_readings_far_apart_are_read_as_separate_windows(store: WindowStore, monkeypatch: pytest.MonkeyPatch) -> None:
    query, spans = store.client.query, []

    def seen(**request: Any) -> dict[str, Any]:
        values = request["ExpressionAttributeValues"]
        spans.append(tuple((int(values[name]["N"]) - START) // 1000 for name in (":first", ":last")))
        answer: dict[str, Any] = query(**request)
        return answer

    monkeypatch.setattr(store.client, "query", seen)
    batch = [at(3000), at(0), at(50)]
    assess(batch, store=store, definition=definition(feature("mean", "mean", 60)), parameters=Parameters())
    assert spans == [(-60, 50), (2940, 3000)]


def test_duplicates_within_a_batch_leave_the_first_received(store: WindowStore) -> None:
    batch = [at(0, 11.0, delay=2.0, reading_id="second"), at(0, 10.0, reading_id="first")]
    second, first = assess(batch, store=store, definition=definition(), parameters=Parameters())
    assert isinstance(second, ReadingError)
    assert second.reason == "duplicate"
    assert first == (10.0,)


def test_a_reading_that_an_earlier_one_replaces_before_its_window_is_read_is_the_duplicate(
    store: WindowStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    query = store.client.query

    def overtaken(**request: Any) -> dict[str, Any]:
        store.put(at(0, 10.0, reading_id="earlier"))
        answer: dict[str, Any] = query(**request)
        return answer

    monkeypatch.setattr(store.client, "query", overtaken)
    batch = [at(0, 11.0, delay=2.0, reading_id="later")]
    (found,) = assess(batch, store=store, definition=definition(), parameters=Parameters())
    assert isinstance(found, ReadingError)
    assert (found.reason, found.detail) == ("duplicate", "earlier of the same instant came before")
