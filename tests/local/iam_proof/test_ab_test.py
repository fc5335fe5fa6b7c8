"""The handlers of an A/B test: assigning, recording outcomes, evaluating."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from cdk_ml_lens.local import LaptopCloud
from ml_lens_runtime.ab_plan import Setup
from ml_lens_runtime.ab_state import KEY, State, StateStore
from tests.local.iam_proof.conftest import Proven, Stage
from tests.local.iam_proof.harness import Proof
from tests.local.iam_proof.support import invoked, logging, physical, polled, started_anew

pytestmark = pytest.mark.laptop_cloud
SETTING, STACK = "examples/ab_test.py", "AbTest"
IDS = itertools.count()


@pytest.fixture(scope="module")
def outputs(stage: Stage) -> dict[str, str]:
    return stage(SETTING)


def assigned(cloud: LaptopCloud, outputs: dict[str, str]) -> str:
    """Return a new inference id."""
    answer = invoked(cloud, outputs["AssignerName"], {"user_id": f"user-{next(IDS)}"})
    return str(answer["inference_id"])


def test_assign_variant_needs_each_of_its_rights(guarded: LaptopCloud, outputs: dict[str, str], proven: Proven) -> None:
    function = outputs["AssignerName"]

    def assign_first() -> None:
        started_anew(guarded, function)  # or the state of the test is a cached one
        assigned(guarded, outputs)

    proven(
        Proof(
            role="CheckoutAssignerRole",
            setting=SETTING,
            stack=STACK,
            work=lambda: void(assigned(guarded, outputs)),
            works={"dynamodb:GetItem": assign_first, **logging(guarded, function, {"user_id": "anyone"})},
        )
    )


def void(_: object) -> None:
    """Drop an answer."""


def test_record_outcome_needs_each_of_its_rights(guarded: LaptopCloud, outputs: dict[str, str], proven: Proven) -> None:
    function = physical(guarded, STACK, "CheckoutRecorderFunction")
    table = physical(guarded, STACK, "CheckoutStoreTable")

    def record() -> None:
        inference = assigned(guarded, outputs)
        given = [{"inference_id": inference, "value": 1}, {"inference_id": f"nobody-{inference}", "value": 1}]
        results = invoked(guarded, function, {"outcomes": given})["results"]
        assert [result["status"] for result in results] == ["counted", "apart"]

    def send() -> Callable[[], bool]:
        inference = assigned(guarded, outputs)
        body = json.dumps({"inference_id": inference, "value": 1})
        guarded.client("sqs").send_message(QueueUrl=outputs["OutcomeQueueUrl"], MessageBody=body)
        key = {"id": {"S": f"inference#{inference}"}}
        return lambda: "outcome" in guarded.client("dynamodb").get_item(TableName=table, Key=key)["Item"]

    mapping = polled(guarded, function, send)
    reading = {f"sqs:{action}": mapping for action in ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes")}
    works = {**reading, **logging(guarded, function, {"outcomes": []})}
    proven(Proof(role="CheckoutRecorderRole", setting=SETTING, stack=STACK, work=record, works=works))


def test_evaluate_test_needs_each_of_its_rights(guarded: LaptopCloud, proven: Proven) -> None:
    function = physical(guarded, STACK, "CheckoutEvaluatorFunction")
    found = guarded.client("lambda").get_function_configuration(FunctionName=function)
    setup = Setup.parse(found["Environment"]["Variables"])
    store = StateStore(table=setup.table, client=guarded.client("dynamodb"))

    def evaluate() -> None:
        """Look with a cohort to count, an event to announce and a shift to start."""
        guarded.client("dynamodb").delete_item(TableName=setup.table, Key=KEY)
        state = store.load(setup.plan, time.time())
        past = State.first(setup.plan, time.time() - setup.plan.window_seconds - 2 * setup.plan.cohort_seconds - 7200)
        store.save(replace(state, cohort=past.cohort, outbox=outbox(setup)))
        invoked(guarded, function, {})

    works = logging(guarded, function, {})
    proven(Proof(role="CheckoutEvaluatorRole", setting=SETTING, stack=STACK, work=evaluate, works=works))


def outbox(setup: Setup) -> tuple[dict[str, Any], ...]:
    verdict = {"winner": "candidate", "decided_at": float(next(IDS))}
    announced = {"kind": "event", "type": "A/B Test Decided", "detail": verdict}
    return announced, {"kind": "shift", "input": {"test": setup.plan.test, "verdict": verdict}}
