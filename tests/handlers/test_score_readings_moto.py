"""The scorer on moto's DynamoDB, SQS, Firehose with S3, SNS, IoT data, Step Functions and Lambda, through boto3."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from moto import mock_aws

from ml_lens_runtime.env import Action
from tests.handlers.fakes import aws_error
from tests.handlers.moto_account import REGION, ROLE, Account, MotoClients, make_account, published
from tests.handlers.support import NOW, Scorer, reading, rule_output, sqs_event


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    with mock_aws():
        yield make_account(MotoClients())


@pytest.fixture
def scorer(account: Account) -> Scorer:
    return Scorer(account.clients, settings=account.settings)


def test_a_batch_reaches_log_topic_device_and_dead_letters(account: Account, scorer: Scorer) -> None:
    event = sqs_event([reading(0), reading(1, temperature=50.0), reading(2, temperature=None), b"\xff"])

    assert scorer(event) == []

    assert [line["reading_id"] for line in account.predictions()] == ["r0", "r1"]
    assert [(notice["type"], notice["alert_id"]) for notice in account.notices()] == [("anomaly", "turbine-1#r1")]
    assert sorted(letter["reason"] for letter in account.letters()) == ["bad_encoding", "wrong_type"]
    assert [item["state"]["S"] for item in account.ledger()] == ["done"] * 4
    assert published() == ["devices/turbine-1/commands"]


def test_duplicate_delivery_changes_nothing_on_dynamodb(account: Account, scorer: Scorer) -> None:
    event = sqs_event([reading(0), reading(1, temperature=50.0), reading(2, temperature=None)])
    scorer(event)
    before = (account.predictions(), account.ledger(), published())
    assert len(account.notices()) == len(account.letters()) == 1

    assert scorer(event) == []

    assert (account.predictions(), account.ledger(), published()) == before
    assert account.notices() == account.letters() == []
    assert len(account.clients.endpoint.batches) == 1


def test_a_batch_of_new_known_leased_and_released_readings_is_sorted_out_on_dynamodb(
    account: Account, scorer: Scorer
) -> None:
    scorer(sqs_event([reading(0)]))
    account.clients.endpoint.failures = [aws_error("ThrottlingException")]
    assert scorer(sqs_event([reading(1)])) == ["m0"]
    account.clients.endpoint.failures = [KeyboardInterrupt()]  # type: ignore[list-item]
    with pytest.raises(KeyboardInterrupt):
        scorer(sqs_event([reading(2)]))

    assert scorer(sqs_event([reading(i) for i in range(4)])) == ["m2"]

    assert sorted(line["reading_id"] for line in account.predictions()) == ["r0", "r1", "r3"]
    scorer.now = NOW + 66
    assert scorer(sqs_event([reading(i) for i in range(4)])) == []
    assert sorted(line["reading_id"] for line in account.predictions()) == ["r0", "r1", "r2", "r3"]


def test_an_action_that_failed_is_resumed_from_dynamodb(account: Account, scorer: Scorer) -> None:
    event = sqs_event([reading(0, temperature=50.0)])
    missing = Action(name="tell", kind="notify", target=account.settings.actions[0].target + "-gone")
    assert scorer(event, actions=(missing, account.settings.actions[1])) == ["m0"]

    assert scorer(event) == []

    assert len(account.notices()) == len(account.predictions()) == len(published()) == 1
    assert len(account.clients.endpoint.batches) == 1


def test_a_message_of_a_real_queue_is_postponed(account: Account, scorer: Scorer) -> None:
    queue = account.clients.queue
    queue.send_message(QueueUrl=account.source, MessageBody=json.dumps(rule_output(reading(0))))
    (message,) = queue.receive_message(QueueUrl=account.source, VisibilityTimeout=0)["Messages"]
    event = sqs_event([reading(0)])
    event["Records"][0] |= {"receiptHandle": message["ReceiptHandle"], "messageId": message["MessageId"]}
    account.clients.endpoint.failures = [aws_error("ThrottlingException")]

    assert scorer(event) == [message["MessageId"]]

    assert "Messages" not in queue.receive_message(QueueUrl=account.source)


def test_a_missing_ledger_and_a_missing_dead_letter_queue_return_everything(account: Account, scorer: Scorer) -> None:
    assert scorer(sqs_event([reading(0)]), ledger_table="gone") == ["m0"]
    gone = account.settings.dead_letter_queue_url + "-gone"
    assert scorer(sqs_event([b"junk"]), dead_letter_queue_url=gone) == ["m0"]

    assert account.predictions() == account.letters() == []


def test_a_missing_prediction_stream_returns_the_batch_with_its_cause(account: Account, scorer: Scorer) -> None:
    assert scorer(sqs_event([reading(0)]), prediction_stream="gone") == ["m0"]
    assert scorer(sqs_event([reading(0)], attempts=5), prediction_stream="gone") == []

    (letter,) = account.letters()
    assert letter["detail"] == "prediction log: ResourceNotFoundException"


def test_an_anomaly_starts_a_state_machine_once(account: Account, scorer: Scorer) -> None:
    client = account.clients.state_machine
    definition = json.dumps({"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}})
    arn = client.create_state_machine(name="inspect", definition=definition, roleArn=ROLE)["stateMachineArn"]
    machine = (Action(name="inspect", kind="state_machine", target=arn),)
    event = sqs_event([reading(0, temperature=50.0)])
    assert scorer(event, actions=machine) == []
    account.clients.ledger.delete_item(TableName="ledger", Key={"id": account.ledger()[0]["id"]})

    assert scorer(event, actions=machine) == []

    (execution,) = client.list_executions(stateMachineArn=arn)["executions"]
    given = client.describe_execution(executionArn=execution["executionArn"])["input"]
    assert json.loads(given)["alert_id"] == "turbine-1#r0"


def test_an_anomaly_for_a_missing_function_comes_again(account: Account, scorer: Scorer) -> None:
    missing = Action(name="ticket", kind="function", target="arn:aws:lambda:us-east-1:123456789012:function:gone")

    assert scorer(sqs_event([reading(0, temperature=50.0)]), actions=(missing,)) == ["m0"]

    assert len(account.predictions()) == 1
