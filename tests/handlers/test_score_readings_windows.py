"""The scorer with a feature set: windows by device, named reasons, nothing lost when the table fails."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from moto import mock_aws

from tests.handlers.fakes import aws_error
from tests.handlers.moto_account import REGION, Account
from tests.handlers.support import NOW, Scorer, sqs_record
from tests.handlers.window_account import FEATURES, event, rows, windowed_account, with_windows
from tests.handlers.window_support import feature

OF_TWO_DEVICES = {"Records": event((0, 10.0))["Records"] + event((60, 20.0), first=1, device="turbine-2")["Records"]}


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    with mock_aws():
        yield windowed_account()


@pytest.fixture
def scorer(account: Account) -> Scorer:
    return Scorer(account.clients, settings=with_windows(account, *FEATURES))


def test_the_model_gets_the_features_of_the_window_in_their_order(account: Account, scorer: Scorer) -> None:
    assert scorer(event((0, 10.0), (60, 20.0))) == []
    assert scorer(event((120, 60.0), first=2)) == []

    assert rows(account) == [[10.0, 10.0, 300.0], [20.0, 15.0, 60.0], [60.0, 30.0, 60.0]]
    (last,) = [line for line in account.predictions() if line["reading_id"] == "r2"]
    assert last["features"] == {"temperature": 60.0, "mean": 30.0, "gap": 60.0}
    assert last["reading"]["temperature"] == 60.0


def test_the_same_batch_twice_changes_nothing(account: Account, scorer: Scorer) -> None:
    batch = event((0, 10.0), (60, 20.0))
    scorer(batch)
    table = account.clients.window.scan(TableName="window")["Items"]

    assert scorer(batch) == []

    assert len(rows(account)) == len(account.predictions()) == 2
    assert account.clients.window.scan(TableName="window")["Items"] == table


def test_a_reading_that_came_back_from_the_endpoint_is_no_duplicate_of_itself(account: Account, scorer: Scorer) -> None:
    account.clients.endpoint.failures = [aws_error("ThrottlingException")]
    assert scorer(event((0, 10.0))) == ["m0"]

    assert scorer(event((0, 10.0))) == []

    assert len(account.predictions()) == 1
    assert account.letters() == []


def test_what_cleaning_refuses_is_dead_lettered_with_its_reason(account: Account, scorer: Scorer) -> None:
    assert scorer(event((0, 999.0), (10, None), (20, 10.0), (20, 11.0))) == []
    assert scorer(event((30, 10.0), delay=3601.0, first=10)) == []
    assert scorer(event((2000, 10.0), delay=-61.0, first=20)) == []

    reasons = {letter["reading_id"]: letter["reason"] for letter in account.letters()}
    found = {"r0": "out_of_range", "r1": "no_value", "r3": "duplicate", "r10": "late", "r20": "in_future"}
    assert reasons == found
    assert [line["reading_id"] for line in account.predictions()] == ["r2"]


def test_a_feature_without_a_value_is_not_given_to_the_model(account: Account, scorer: Scorer) -> None:
    assert scorer(event((0, None), pressure=3.0)) == []

    (letter,) = account.letters()
    assert (letter["reason"], letter["detail"]) == ("missing_feature", "no value for temperature, mean")


@pytest.mark.parametrize("absurd", [1e200, 1.7e308])
def test_an_absurd_value_without_bounds_harms_its_own_device_only(account: Account, absurd: float) -> None:
    over = {"sensor": "pressure", "null_value": 0.0}
    rules = (feature("mean", "mean", 300, **over), feature("std", "std", 300, **over))
    scorer = Scorer(account.clients, settings=with_windows(account, *rules))
    other = event((2, 10.0), first=2, device="turbine-2", pressure=3.0)
    parts = [event((0, 10.0), pressure=absurd), event((1, 10.0), first=1, pressure=1.0), other]

    assert scorer({"Records": [record for part in parts for record in part["Records"]]}) == []

    assert {line["reading_id"] for line in account.predictions()} == {"r0", "r2"}
    assert [(letter["reading_id"], letter["reason"]) for letter in account.letters()] == [("r1", "not_finite")]


def test_windows_of_devices_are_apart(account: Account, scorer: Scorer) -> None:
    assert scorer(OF_TWO_DEVICES) == []

    assert rows(account) == [[10.0, 10.0, 300.0], [20.0, 20.0, 300.0]]


def test_a_missing_table_returns_the_batch_with_its_cause(account: Account, scorer: Scorer) -> None:
    windows = replace(scorer.settings.windows, table="gone")  # type: ignore[type-var]
    assert scorer(event((0, 10.0)), windows=windows) == ["m0"]
    assert scorer(event((0, 10.0)), windows=windows, max_attempts=2) == []

    (letter,) = account.letters()
    assert (letter["reason"], letter["detail"]) == ("attempts_exhausted", "window: ResourceNotFoundException")


def test_devices_do_not_wait_for_each_other(account: Account, scorer: Scorer, monkeypatch: pytest.MonkeyPatch) -> None:
    together, put = threading.Barrier(2, timeout=20), account.clients.window.put_item

    def slow(**request: Any) -> Any:
        together.wait()
        return put(**request)

    monkeypatch.setattr(account.clients.window, "put_item", slow)
    assert scorer(OF_TWO_DEVICES) == []


def test_no_window_is_begun_without_time_for_the_rest(account: Account, scorer: Scorer) -> None:
    scorer.left = 20.0
    assert scorer(event((0, 10.0))) == ["m0"]
    assert rows(account) == []
    scorer.left = 60.0
    assert scorer(event((0, 10.0))) == []


def test_items_may_go_when_no_reading_and_no_retry_can_ask_for_them(account: Account, scorer: Scorer) -> None:
    scorer(event((0, 10.0)))
    (item,) = account.clients.window.scan(TableName="window")["Items"]
    assert int(item["expires_at"]["N"]) == NOW + 300 + 3600 + 24 * 3600


def test_a_redriven_reading_without_an_id_is_no_duplicate_of_itself(account: Account, scorer: Scorer) -> None:
    batch = event((0, 10.0), reading_id=None)
    account.clients.endpoint.failures = [aws_error("ThrottlingException")]
    assert scorer(batch, max_attempts=1) == []
    (letter,) = account.letters()

    assert scorer({"Records": [sqs_record(json.dumps(letter), number=7)]}) == []

    assert account.letters() == []
    assert [line["prediction_id"] for line in account.predictions()] == ["turbine-1#trace"]
