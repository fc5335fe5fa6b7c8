"""The online side of the parity test as a whole: messages into the scorer's handler, its log and dead letters out."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any

from moto import mock_aws

from ml_lens_runtime.env import Feature, Settings
from ml_lens_runtime.feature_definition import FeatureSet
from ml_lens_runtime.normalisation import Parameters
from ml_lens_runtime.window_env import WindowSettings
from tests.etl.parity_series import Arrival
from tests.etl.parity_sides import Outcome
from tests.handlers.moto_account import Account
from tests.handlers.support import Scorer, rule_output, sqs_record
from tests.handlers.window_account import windowed_account


def through_the_scorer(messages: Sequence[Arrival], document: dict[str, Any], parameters: str) -> dict[str, Outcome]:
    """Feed the messages to the scorer in order of arrival; return what became of each."""
    with mock_aws():
        account = windowed_account()
        scorer = Scorer(account.clients, settings=_settings(account, document, parameters))
        for at, together in groupby(messages, key=lambda message: message.received_at):
            outputs = [rule_output(one.payload(), device=one.device_id) | {"received_at": at} for one in together]
            records = [sqs_record(json.dumps(output), number=number) for number, output in enumerate(outputs)]
            assert scorer({"Records": records}) == []
        found: dict[str, Outcome] = {letter["reading_id"]: letter["reason"] for letter in account.letters()}
        return found | {line["reading_id"]: tuple(line["features"].values()) for line in account.predictions()}


def _settings(account: Account, document: dict[str, Any], parameters: str) -> Settings:
    """Return settings with the feature set, and the parameters as if they had been read."""
    rules = FeatureSet.parse(json.dumps(document))
    windows = WindowSettings(definition=rules, table="window")
    if rules.method != "none":
        windows = replace(windows, bucket="predictions", key="parameters")
        account.clients.parameters = Parameters.parse(parameters, definition=rules)
    inputs = tuple(Feature(name=name) for name in rules.names)
    return replace(account.settings, features=inputs, windows=windows, actions=())
