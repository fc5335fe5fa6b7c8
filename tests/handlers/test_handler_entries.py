"""Handlers through their Lambda entry points on moto: the environment decides, and is read once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from types import SimpleNamespace
from typing import Any

import pytest
from moto import mock_aws

from handlers import assign_variant, evaluate_test, record_deployment, record_outcome
from ml_lens_runtime.errors import ConfigurationError
from tests.handlers import ab_account, registry_account

CONTEXT = SimpleNamespace(aws_request_id="request", get_remaining_time_in_millis=lambda: 300_000)
ENTRIES: tuple[Any, ...] = (assign_variant, evaluate_test, record_deployment, record_outcome)


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    """Each test is a new Lambda environment."""
    for module in ENTRIES:
        module._process.cache_clear()
    yield
    for module in ENTRIES:
        module._process.cache_clear()


def test_an_ab_test_runs_through_its_three_functions(monkeypatch: pytest.MonkeyPatch) -> None:
    with ab_account.mocked_account(monkeypatch) as account:
        setup = account.setup
        for name, value in {
            "PLAN": json.dumps(asdict(setup.plan)),
            "TABLE_NAME": setup.table,
            "ENDPOINT_NAME": setup.endpoint_name,
            "DEAD_LETTER_QUEUE_URL": setup.dead_letter_queue_url,
            "SHIFT_ARN": setup.shift_arn,
        }.items():
            monkeypatch.setenv(name, value)
        assigned = assign_variant.handler({"user_id": "ann"}, CONTEXT)
        assert assigned["target_variant"] in (setup.plan.control, setup.plan.treatment)
        outcome = ab_account.outcome(assigned["inference_id"])
        assert record_outcome.handler(outcome, CONTEXT)["results"] == [{"status": "counted", "reason": None}]
        monkeypatch.setenv("TABLE_NAME", "another")  # of no effect on an environment that runs
        assert record_outcome.handler(outcome, CONTEXT)["results"] == [{"status": "duplicate", "reason": None}]
        monkeypatch.setenv("TABLE_NAME", setup.table)
        assert evaluate_test.handler({}, CONTEXT)["users"] == {"control": 0, "treatment": 0}


def test_a_deployment_is_recorded_in_the_bucket_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", registry_account.REGION)
    monkeypatch.setenv("REGISTRY_BUCKET", registry_account.BUCKET)
    with mock_aws():
        account = registry_account.Account().make()
        account.register("v1")
        event = {"manifest": registry_account.manifest_uri("v1"), "approver": "anna"}
        assert record_deployment.handler(event, CONTEXT) == {"written": True}
        assert account.manifest("v1")["approver"] == "anna"


def test_without_a_registry_no_deployment_is_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGISTRY_BUCKET", " ")
    with pytest.raises(ConfigurationError, match="^REGISTRY_BUCKET must be set"):
        record_deployment.handler({}, CONTEXT)
