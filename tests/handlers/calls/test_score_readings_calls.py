"""score_readings on moto: each call throttled and refused; nothing is lost, and what is told is what happened."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
from moto.sagemakerruntime.models import sagemakerruntime_backends

from ml_lens_runtime.clients import Clients
from tests.calls.trouble import trouble
from tests.handlers.calls.cases import DONE, Case, troubles
from tests.handlers.calls.cases import account as mocked
from tests.handlers.calls.scoring import AGAIN, HELD, HOT, LOGGED, outcome
from tests.handlers.fakes import distance_lines
from tests.handlers.moto_account import REGION, Account, MotoClients, make_account
from tests.handlers.support import Scorer, reading, sqs_event


@pytest.fixture
def account() -> Iterator[Account]:
    with mocked(REGION):
        yield make_account(MotoClients())


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
