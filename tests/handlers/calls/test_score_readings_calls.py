"""score_readings on moto: each call throttled and refused; nothing is lost, and what is told is what happened."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import boto3
import pytest
from moto.sagemakerruntime.models import sagemakerruntime_backends

from ml_lens_runtime.clients import Clients
from ml_lens_runtime.env import Action
from tests.calls.trouble import trouble
from tests.handlers import window_account as windows
from tests.handlers.calls.cases import DONE, Case, troubles
from tests.handlers.calls.cases import account as mocked
from tests.handlers.fakes import distance_lines
from tests.handlers.moto_account import REGION, ROLE, Account, MotoClients, make_account
from tests.handlers.support import Scorer, reading, sqs_event
from tests.handlers.test_score_readings_normalised import PARAMETERS, normalised

AGAIN = "reported per record, dead-lettered at the last delivery"
LOGGED = "logged, the work is done"
HELD = "reported per record, stays in the queue"
HOT = reading(0, temperature=50.0)


@pytest.fixture
def account() -> Iterator[Account]:
    with mocked(REGION):
        yield make_account(MotoClients())


def outcome(account: Account, scorer: Scorer, event: dict[str, Any]) -> str:
    """Deliver a message for the last time but one, and for the last time."""
    if scorer(event) == []:
        return DONE
    last = json.loads(json.dumps(event).replace('"ApproximateReceiveCount": "1"', '"ApproximateReceiveCount": "5"'))
    if scorer(last) == []:
        assert [letter["reason"] for letter in account.letters()] == ["attempts_exhausted"]
        return AGAIN
    return HELD


def with_model(account: Account) -> Clients:
    """Return the account's clients with moto's InvokeEndpoint, which answers once for what it is told to."""
    found = account.clients
    real = Clients(region=REGION)
    found.__dict__["endpoint"] = real.endpoint
    (line,) = distance_lines([[50.0, 100.0]])
    queue = sagemakerruntime_backends["123456789012"][REGION].results_queue
    queue.append((line, "application/jsonlines", "blue", ""))
    return found


ENDPOINT = Case(call="sagemaker-runtime:InvokeEndpoint", busy=AGAIN, refused=AGAIN)


@pytest.mark.parametrize(("case", "kind"), troubles([ENDPOINT]))
def test_a_model_that_cannot_be_asked_brings_the_reading_back(case: Case, kind: str, account: Account) -> None:
    scorer = Scorer(with_model(account), settings=account.settings)
    case.meet(kind, lambda: outcome(account, scorer, sqs_event([HOT])))


@pytest.mark.parametrize(
    ("status", "times", "back", "letters", "result"),
    [
        (400, 2, [], ["model_rejected"], "the reading that is refused alone is dead-lettered"),
        (429, None, ["m0", "m1"], [], "reported per record"),
        (503, None, ["m0", "m1"], [], "reported per record"),
    ],
)
def test_a_models_own_status_decides(
    status: int, times: int | None, back: list[str], letters: list[str], result: str, account: Account
) -> None:
    """400 to both readings and to the first alone; the second is scored."""
    scorer = Scorer(with_model(account), settings=account.settings)
    more = {"OriginalStatusCode": status, "OriginalMessage": "no"}
    with trouble("sagemaker-runtime", "InvokeEndpoint", "ModelError", result=result, times=times, more=more):
        assert scorer(sqs_event([reading(0), reading(1, temperature=50.0)])) == back
    assert [letter["reason"] for letter in account.letters()] == letters


LEDGER = Case(call="dynamodb:TransactWriteItems", busy=HELD, refused=HELD)
SETTLE = Case(call="dynamodb:TransactWriteItems", way="settle", skip=1, busy=LOGGED, refused=LOGGED)
LOG = Case(call="firehose:PutRecordBatch", busy=AGAIN, refused=AGAIN)


@pytest.mark.parametrize(("case", "kind"), troubles([LOG]))
def test_a_prediction_that_is_not_logged_comes_again(case: Case, kind: str, account: Account) -> None:
    scorer = Scorer(account.clients, settings=account.settings)
    case.meet(kind, lambda: outcome(account, scorer, sqs_event([reading(0)])))


@pytest.mark.parametrize(("case", "kind"), troubles([LEDGER]))
def test_without_the_ledger_nothing_is_done(case: Case, kind: str, account: Account) -> None:
    scorer = Scorer(account.clients, settings=account.settings)

    def act() -> str:
        if scorer(sqs_event([HOT])) == []:
            return DONE
        assert (account.predictions(), account.notices(), account.letters()) == ([], [], [])
        return HELD

    case.meet(kind, act)


@pytest.mark.parametrize(("case", "kind"), troubles([SETTLE]))
def test_a_ledger_that_cannot_be_settled_does_not_undo_the_work(
    case: Case, kind: str, account: Account, caplog: pytest.LogCaptureFixture
) -> None:
    scorer = Scorer(account.clients, settings=account.settings)

    def act() -> str:
        assert scorer(sqs_event([reading(0)])) == []
        assert len(account.predictions()) == 1
        return LOGGED if "ledger not settled" in caplog.text else DONE

    with caplog.at_level(logging.ERROR):
        case.meet(kind, act)


LETTER = Case(call="sqs:SendMessageBatch", busy=HELD, refused=HELD)


@pytest.mark.parametrize(("case", "kind"), troubles([LETTER]))
def test_what_cannot_be_dead_lettered_stays_in_the_queue(case: Case, kind: str, account: Account) -> None:
    scorer = Scorer(account.clients, settings=account.settings)
    case.meet(kind, lambda: DONE if scorer(sqs_event([b"junk"])) == [] else HELD)


PAUSE = Case(call="sqs:ChangeMessageVisibilityBatch", busy=LOGGED, refused=LOGGED)


@pytest.mark.parametrize(("case", "kind"), troubles([PAUSE]))
def test_a_pause_that_cannot_be_set_is_only_logged(
    case: Case, kind: str, account: Account, caplog: pytest.LogCaptureFixture
) -> None:
    scorer = Scorer(account.clients, settings=account.settings)
    queue = account.clients.queue
    queue.send_message(QueueUrl=account.source, MessageBody="{}")
    (message,) = queue.receive_message(QueueUrl=account.source)["Messages"]
    event = sqs_event([reading(0)])
    event["Records"][0]["receiptHandle"] = message["ReceiptHandle"]

    def act() -> str:
        assert scorer(event, prediction_stream="gone") == ["m0"]
        return LOGGED if "pause not set" in caplog.text else DONE

    with caplog.at_level(logging.WARNING):
        case.meet(kind, act)


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
