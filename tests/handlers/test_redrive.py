"""Redrive on moto's SQS: what is in the dead-letter queue, what is moved, what stays, and that it is scored once."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest
from moto import mock_aws

from cdk_ml_lens.local.redrive import Redrive, redrive
from tests.handlers.fakes import aws_error
from tests.handlers.moto_account import REGION, Account, MotoClients, make_account
from tests.handlers.support import Scorer, payload, reading, rule_output, sqs_event


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    with mock_aws():
        yield make_account(MotoClients())


def request(account: Account, **changes: Any) -> Redrive:
    return Redrive(**{"dead_letters": account.settings.dead_letter_queue_url, "to": account.source, **changes})


def deliver(account: Account, scorer: Scorer) -> None:
    """Hand what is in the source queue to the scorer, as Lambda's poller does."""
    queue = account.clients.queue
    while found := queue.receive_message(
        QueueUrl=account.source, MaxNumberOfMessages=10, MessageSystemAttributeNames=["All"]
    ).get("Messages"):
        records = [
            {
                "eventSource": "aws:sqs",
                "messageId": message["MessageId"],
                "receiptHandle": message["ReceiptHandle"],
                "body": message["Body"],
                "attributes": message["Attributes"],
            }
            for message in found
        ]
        assert scorer({"Records": records}) == []
        for message in found:
            queue.delete_message(QueueUrl=account.source, ReceiptHandle=message["ReceiptHandle"])


def dead(account: Account, scorer: Scorer) -> None:
    """Let three readings die of a missing endpoint, and one of itself."""
    account.clients.endpoint.failures = [aws_error("ValidationError")]
    event = sqs_event([*(reading(n) for n in range(3)), reading(3, temperature="warm")], attempts=5)
    assert scorer(event) == []


def test_after_the_repair_each_reading_is_scored_once_and_one_that_is_wrong_itself_dies_again(account: Account) -> None:
    scorer = Scorer(account.clients, settings=account.settings)
    dead(account, scorer)

    outcome = redrive(account.clients.queue, request(account))
    deliver(account, scorer)

    assert outcome.moving == {"attempts_exhausted": 3, "wrong_type": 1}
    assert sorted(line["reading_id"] for line in account.predictions()) == ["r0", "r1", "r2"]
    assert [letter["reason"] for letter in account.letters()] == ["wrong_type"]


def test_a_redrive_that_died_between_sending_and_deleting_doubles_nothing(account: Account) -> None:
    scorer = Scorer(account.clients, settings=account.settings)
    dead(account, scorer)
    queue = account.clients.queue
    letters = queue.receive_message(
        QueueUrl=account.settings.dead_letter_queue_url, MaxNumberOfMessages=10, VisibilityTimeout=0
    )["Messages"]
    for letter in letters:
        queue.send_message(QueueUrl=account.source, MessageBody=letter["Body"])

    redrive(queue, request(account, reasons=frozenset({"attempts_exhausted"})))
    deliver(account, scorer)

    assert sorted(line["reading_id"] for line in account.predictions()) == ["r0", "r1", "r2"]


def test_looking_moves_nothing_and_leaves_everything_visible(account: Account) -> None:
    scorer = Scorer(account.clients, settings=account.settings)
    dead(account, scorer)

    seen = redrive(account.clients.queue, request(account, send=False, reasons=frozenset({"attempts_exhausted"})))

    assert (seen.moving, seen.staying) == ({"attempts_exhausted": 3}, {"wrong_type": 1})
    assert len(account.letters()) == 4
    assert "Messages" not in account.clients.queue.receive_message(QueueUrl=account.source)


def test_a_reason_chooses_and_the_others_stay(account: Account) -> None:
    scorer = Scorer(account.clients, settings=account.settings)
    dead(account, scorer)

    redrive(account.clients.queue, request(account, reasons=frozenset({"attempts_exhausted"})))
    deliver(account, scorer)

    assert len(account.predictions()) == 3
    assert [letter["reason"] for letter in account.letters()] == ["wrong_type"]


def test_what_the_rule_or_the_queue_gave_up_is_scored_too(account: Account) -> None:
    scorer = Scorer(account.clients, settings=account.settings)
    failed = {
        "ruleName": "telemetry",
        "topic": "devices/turbine-7/telemetry",
        "cloudwatchTraceId": "trace",
        "base64OriginalPayload": base64.b64encode(payload(reading(7))).decode(),
        "failures": [{"failedAction": "SqsAction", "errorMessage": "no"}],
    }
    for document in (failed, rule_output(reading(8), device="turbine-8")):
        account.clients.queue.send_message(
            QueueUrl=account.settings.dead_letter_queue_url, MessageBody=json.dumps(document)
        )

    outcome = redrive(account.clients.queue, request(account))
    deliver(account, scorer)

    assert outcome.moving == {"rule_failed": 1, "never_handled": 1}
    assert sorted(line["prediction_id"] for line in account.predictions()) == ["turbine-7#r7", "turbine-8#r8"]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("no json", "unreadable"),
        ("[1]", "unreadable"),
        (json.dumps({"reason": "too_large", "payload_truncated": True}), "truncated"),
        (json.dumps({"base64OriginalPayload": "e30=", "topic": "lonely"}), "rule_failed"),
    ],
)
def test_what_cannot_be_scored_stays(account: Account, body: str, reason: str) -> None:
    url = account.settings.dead_letter_queue_url
    account.clients.queue.send_message(QueueUrl=url, MessageBody=body)

    outcome = redrive(account.clients.queue, request(account))

    assert (outcome.moved, outcome.staying) == (0, {reason: 1})
    assert account.clients.queue.receive_message(QueueUrl=url)["Messages"][0]["Body"] == body


def test_a_queue_that_refuses_keeps_the_letter_where_it_is(account: Account) -> None:
    scorer = Scorer(account.clients, settings=account.settings)
    dead(account, scorer)
    queue, url = account.clients.queue, account.settings.dead_letter_queue_url

    with pytest.raises(queue.exceptions.QueueDoesNotExist):
        redrive(queue, request(account, to=account.source + "-gone"))

    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    counted = queue.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    assert sum(map(int, counted.values())) == 4
