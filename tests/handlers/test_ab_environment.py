"""The environment of the A/B test's handlers and of retraining's: whole, or refused by the variable's name."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import pytest

from ml_lens_runtime import retrain_setup
from ml_lens_runtime.ab_plan import Setup
from ml_lens_runtime.errors import ConfigurationError
from tests.handlers.ab_support import FIXED

PLAN = asdict(FIXED)
TEST = {"PLAN": json.dumps(PLAN), "TABLE_NAME": "records", "ENDPOINT_NAME": "shop"}
LOOP = {
    "RETRAINING_NAME": "loop",
    "TABLE_NAME": "records",
    "MACHINE_ARN": "arn:aws:states:eu-west-1:123456789012:stateMachine:train",
    "DATASET_BUCKET": "lake",
    "DATASET_PREFIX": "datasets/",
    "COOL_DOWN_SECONDS": "3600",
    "MINIMUM_NEW_ROWS": "0",
}


def test_a_tests_environment_becomes_its_plan_and_places() -> None:
    setup = Setup.parse({**TEST, "SHIFT_ARN": "arn:shift"})
    assert (setup.plan, setup.table, setup.endpoint_name) == (FIXED, "records", "shop")
    assert (setup.shift_arn, setup.dead_letter_queue_url) == ("arn:shift", "")


def test_a_plan_without_the_settings_of_thompson_has_none() -> None:
    short = {name: value for name, value in PLAN.items() if name not in ("max_step", "floor")}
    plan = Setup.parse({**TEST, "PLAN": json.dumps(short)}).plan
    assert (plan.max_step, plan.floor) == (0.0, 0.0)


@pytest.mark.parametrize("name", sorted(TEST))
def test_a_variable_of_a_test_that_is_missing_or_blank_is_named(name: str) -> None:
    with pytest.raises(ConfigurationError, match=f"^{name} must be set"):
        Setup.parse({**TEST, name: "  "})


@pytest.mark.parametrize(
    ("plan", "said"),
    [
        ("{", "PLAN must be JSON"),
        ("[]", "PLAN must be an object of"),
        (json.dumps({**PLAN, "surprise": 1}), "PLAN must be an object of"),
        (json.dumps({name: value for name, value in PLAN.items() if name != "alpha"}), "PLAN must be an object of"),
        (json.dumps({**PLAN, "test": ""}), "PLAN must give test as str"),
        (json.dumps({**PLAN, "min_users": 1.5}), "PLAN must give min_users as int, got 1.5"),
        (json.dumps({**PLAN, "min_users": True}), "PLAN must give min_users as int, got True"),
        (json.dumps({**PLAN, "metric": "clicks"}), "PLAN must have a metric of"),
        (json.dumps({**PLAN, "policy": "greedy"}), "a policy of"),
    ],
)
def test_a_plan_that_cannot_be_run_is_refused(plan: str, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        Setup.parse({**TEST, "PLAN": plan})


def test_retrainings_environment_becomes_its_setup() -> None:
    setup = retrain_setup.Setup.parse(LOOP)
    assert (setup.name, setup.bucket, setup.prefix) == ("loop", "lake", "datasets/")
    assert (setup.cool_down_seconds, setup.minimum_new_rows, setup.preparation_arn) == (3600, 0, "")


@pytest.mark.parametrize("name", sorted(LOOP))
def test_a_variable_of_retraining_that_is_missing_is_named(name: str) -> None:
    with pytest.raises(ConfigurationError, match=f"^{name} must be set"):
        retrain_setup.Setup.parse({key: value for key, value in LOOP.items() if key != name})


@pytest.mark.parametrize("value", ["-1", "1.5", "\u0661", "an hour"])
def test_a_number_of_retraining_that_is_none_is_refused(value: str) -> None:
    with pytest.raises(ConfigurationError, match="^COOL_DOWN_SECONDS must be a whole number"):
        retrain_setup.Setup.parse({**LOOP, "COOL_DOWN_SECONDS": value})


def test_settings_of_the_plan_do_not_change() -> None:
    plan: Any = Setup.parse(TEST).plan
    with pytest.raises(AttributeError):
        plan.alpha = 1.0
