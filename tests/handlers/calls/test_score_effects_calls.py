"""score_readings on moto: actions and windows, each call throttled and refused; a window of two pages."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

import boto3
import pytest

from ml_lens_runtime.env import Action
from tests.handlers import window_account as windows
from tests.handlers.calls.cases import Case, troubles
from tests.handlers.calls.cases import account as mocked
from tests.handlers.calls.scoring import AGAIN, HOT, outcome
from tests.handlers.moto_account import REGION, ROLE, Account, MotoClients, make_account
from tests.handlers.support import Scorer, sqs_event
from tests.handlers.test_score_readings_normalised import PARAMETERS, normalised


@pytest.fixture
def account() -> Iterator[Account]:
    with mocked(REGION):
        yield make_account(MotoClients())


ACTIONS = tuple(
    Case(call=call, way=way, busy=AGAIN, refused=AGAIN)
    for call, way in (
        ("sns:Publish", "notify"),
        ("iot-data:Publish", "command"),
        ("stepfunctions:StartExecution", "state_machine"),
        ("lambda:Invoke", "function"),
    )
)


def action(account: Account, kind: str) -> Action:
    """Make the target of an action."""
    if kind == "state_machine":
        definition = json.dumps({"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}})
        made = account.clients.state_machine.create_state_machine(name="m", definition=definition, roleArn=ROLE)
        return Action(name="a", kind=kind, target=made["stateMachineArn"])
    if kind == "function":
        return Action(name="a", kind=kind, target=_function(account))
    return next(one for one in account.settings.actions if one.kind == kind)


def _function(account: Account) -> str:
    role = boto3.client("iam", region_name=REGION).create_role(RoleName="any", AssumeRolePolicyDocument="{}")
    made = account.clients.function.create_function(
        FunctionName="ticket",
        Runtime="python3.13",
        Role=role["Role"]["Arn"],
        Handler="index.handler",
        Code={"ZipFile": b"moto runs no code here"},
    )
    return str(made["FunctionArn"])


@pytest.mark.parametrize(("case", "kind"), troubles(ACTIONS))
def test_an_action_that_fails_is_tried_again_and_then_told(case: Case, kind: str, account: Account) -> None:
    scorer = Scorer(account.clients, settings=replace(account.settings, actions=(action(account, case.way),)))
    case.meet(kind, lambda: outcome(account, scorer, sqs_event([HOT])))
    assert len(account.predictions()) == 1


WINDOW = (
    Case(call="dynamodb:PutItem", way="window", busy=AGAIN, refused=AGAIN),
    Case(call="dynamodb:Query", way="window", busy=AGAIN, refused=AGAIN),
    Case(call="s3:GetObject", way="normalisation", busy=AGAIN, refused=AGAIN),
)


@pytest.mark.parametrize(("case", "kind"), troubles(WINDOW))
def test_a_window_that_cannot_be_reached_brings_the_reading_back(case: Case, kind: str) -> None:
    with mocked(REGION):
        account = windows.windowed_account()
        store = account.clients.artifacts
        store.create_bucket(Bucket="artifacts")
        store.put_object(Bucket="artifacts", Key="normalisation/abc.json", Body=json.dumps(PARAMETERS))
        scorer = Scorer(account.clients, settings=normalised(account))
        case.meet(kind, lambda: outcome(account, scorer, windows.event((0, 14.0))))


def test_a_window_of_two_pages_is_read_whole() -> None:
    """DynamoDB ends a page at 1 MB: 30 readings of 40 KB are two."""
    with mocked(REGION):
        account = windows.windowed_account()
        scorer = Scorer(account.clients, settings=windows.with_windows(account, *windows.FEATURES))
        for number in range(30):
            assert scorer(windows.event((number, 10.0 + number), first=number)) == []
        for item in account.clients.window.scan(TableName="window")["Items"]:
            padded = item | {"padding": {"S": "x" * 40_000}}
            account.clients.window.put_item(TableName="window", Item=padded)
        assert scorer(windows.event((30, 40.0), first=30)) == []
        _, mean, _ = windows.rows(account)[-1]
        assert mean == pytest.approx(sum(10.0 + number for number in range(31)) / 31)
