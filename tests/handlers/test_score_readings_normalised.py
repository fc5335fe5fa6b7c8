"""The scorer with normalised window features: the artifact is read once, and nothing is scored without it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

import boto3
import pytest
from moto import mock_aws

from ml_lens_runtime.env import Settings
from tests.handlers.moto_account import REGION, Account
from tests.handlers.support import Scorer
from tests.handlers.window_account import FEATURES, event, rows, windowed_account, with_windows

NORMALISED = {"method": "standard", "per": "device"}
PARAMETERS = {
    "version": "abc",
    "method": "standard",
    "all": {"temperature": [0.0, 1.0], "pressure": [0.0, 1.0]},
    "devices": {"turbine-1": {"temperature": [10.0, 4.0]}},
}


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    with mock_aws():
        yield windowed_account()


def normalised(account: Account) -> Settings:
    made = with_windows(account, *FEATURES, normalisation=NORMALISED)
    assert made.windows is not None
    return replace(made, windows=replace(made.windows, bucket="artifacts", key="normalisation/abc.json"))


def test_values_are_normalised_by_the_artifact_which_is_read_once(account: Account) -> None:
    boto3.client("s3", region_name=REGION).create_bucket(Bucket="artifacts")
    store = account.clients.artifacts
    store.put_object(Bucket="artifacts", Key="normalisation/abc.json", Body=json.dumps(PARAMETERS))
    scorer = Scorer(account.clients, settings=normalised(account))

    assert scorer(event((0, 14.0))) == []
    store.delete_object(Bucket="artifacts", Key="normalisation/abc.json")
    assert scorer(event((60, 2.0), first=1)) == []

    assert rows(account) == [[1.0, 1.0, 300.0], [-2.0, -0.5, 60.0]]


def test_a_missing_or_wrong_artifact_holds_the_readings_back(account: Account) -> None:
    boto3.client("s3", region_name=REGION).create_bucket(Bucket="artifacts")
    scorer = Scorer(account.clients, settings=normalised(account))
    assert scorer(event((0, 14.0))) == ["m0"]
    wrong = json.dumps(PARAMETERS | {"method": "minmax"})
    account.clients.artifacts.put_object(Bucket="artifacts", Key="normalisation/abc.json", Body=wrong)
    assert scorer(event((0, 14.0))) == ["m0"]

    right = json.dumps(PARAMETERS)
    account.clients.artifacts.put_object(Bucket="artifacts", Key="normalisation/abc.json", Body=right)
    assert scorer(event((0, 14.0))) == []
    assert len(account.predictions()) == 1
