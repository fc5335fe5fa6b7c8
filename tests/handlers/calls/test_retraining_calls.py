"""start_retraining on moto, Step Functions included: each call throttled and refused, and the next look goes on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.calls.trouble import trouble
from tests.handlers.calls.cases import BUSY, ONCE, REFUSED, Case, account, raised, troubles
from tests.handlers.retrain_account import REGION, Account, make_account

CASES = (
    Case(call="dynamodb:GetItem"),
    Case(call="dynamodb:TransactWriteItems"),
    Case(call="s3:GetObject"),
    Case(call="dynamodb:PutItem"),
    Case(call="stepfunctions:StartExecution"),
    Case(call="events:PutEvents"),
)
LATER = (
    Case(call="stepfunctions:DescribeExecution"),
    Case(call="cloudwatch:DescribeAlarms"),
)


@pytest.fixture
def loop() -> Iterator[Account]:
    """Retraining whose machine is moto's: its executions stay `RUNNING`."""
    with account(REGION):
        made = make_account()
        del made.clients.__dict__["state_machine"]
        definition = json.dumps({"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}})
        role = "arn:aws:iam::123456789012:role/any"
        made.clients.state_machine.create_state_machine(name="training", definition=definition, roleArn=role)
        yield made


def runs(loop: Account) -> int:
    found = loop.clients.state_machine.list_executions(stateMachineArn=loop.setup.machine_arn)
    return len(found["executions"])


@pytest.mark.parametrize(("case", "kind"), troubles(CASES))
def test_a_cause_that_met_an_error_is_told_again_and_starts_one_run(case: Case, kind: str, loop: Account) -> None:
    event = loop.publish("v1", 1000)
    case.meet(kind, lambda: raised(lambda: loop.tell(event), ClientError))
    loop.tell(event)
    assert runs(loop) == 1
    assert loop.state().outbox == ()


@pytest.mark.parametrize(("case", "kind"), troubles(LATER))
def test_a_look_that_met_an_error_keeps_what_waits_and_the_next_goes_on(case: Case, kind: str, loop: Account) -> None:
    waiting(loop, case)
    before = loop.state()
    case.meet(kind, lambda: raised(loop.look, ClientError))
    assert kind == ONCE or loop.state().waiting == before.waiting
    loop.look()
    assert loop.state().outbox == ()


def waiting(loop: Account, case: Case) -> None:
    """Bring retraining to where a look asks for its run, or for the alarm of a drift that waits."""
    loop.tell(loop.publish("v1", 1000))
    if case.call == "cloudwatch:DescribeAlarms":
        loop.tell(loop.alarm("ALARM"))
        loop.cool()
        (run,) = loop.clients.state_machine.list_executions(stateMachineArn=loop.setup.machine_arn)["executions"]
        loop.clients.state_machine.stop_execution(executionArn=run["executionArn"])


@pytest.mark.parametrize("kind", [ONCE, BUSY, REFUSED])
def test_a_manifest_that_may_not_be_read_is_looked_for_by_its_name(kind: str, loop: Account) -> None:
    """Who may not list a bucket hears AccessDenied for what does not exist; then the name itself is listed."""
    loop.setup = replace(loop.setup, prefix="none/")
    case = Case(call="s3:ListObjectsV2")
    event: dict[str, Any] = {"cause": "manual", "id": "ticket"}
    with trouble("s3", "GetObject", "AccessDenied", result="the name is listed"):
        case.meet(kind, lambda: raised(lambda: loop.tell(event), ClientError))
    assert runs(loop) == 0
