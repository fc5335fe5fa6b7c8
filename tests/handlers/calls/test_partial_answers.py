"""Answers of AWS that refuse single entries: the call succeeds, and what was refused is not lost."""

from __future__ import annotations

import gzip
import json
import logging
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from handlers import evaluate_test, replay_records
from jobs import run_step
from ml_lens_runtime import retrain_outbox
from tests.calls.trouble import trouble
from tests.handlers import ab_account, retrain_account
from tests.handlers.calls.cases import account as mocked
from tests.handlers.calls.scoring import AGAIN, LOGGED, outcome
from tests.handlers.calls.test_ab_calls import decided
from tests.handlers.calls.test_replay_calls import HOUR
from tests.handlers.moto_account import REGION, Account, MotoClients, make_account
from tests.handlers.support import Scorer, reading, sqs_event
from tests.handlers.test_replay_records import ENV, record

EVENT = {"FailedEntryCount": 1, "Entries": [{"ErrorCode": "ThrottlingException", "ErrorMessage": "slow"}]}
RECORD = {
    "FailedPutCount": 1,
    "RequestResponses": [{"ErrorCode": "ServiceUnavailableException", "ErrorMessage": "slow"}],
}
MESSAGE = {"Failed": [{"Id": "0", "Code": "InternalError", "SenderFault": False}], "Successful": []}
BUS = ("events", "PutEvents", "FailedEntryCount")
STREAM = ("firehose", "PutRecordBatch", "FailedPutCount")


@pytest.fixture(autouse=True)
def aws() -> Iterator[None]:
    with mocked(REGION):
        yield


def test_an_announcement_that_the_bus_did_not_take_is_made_by_the_next_look() -> None:
    test = ab_account.make_account()
    decided(test)
    with trouble(*BUS, result="raised", answer=EVENT), pytest.raises(evaluate_test.NotDeliveredError):
        test.evaluate()
    test.evaluate()
    assert [event["detail-type"] for event in test.announced()] == ["AB Test Decided"]


def test_what_retraining_has_to_tell_is_told_by_the_next_look() -> None:
    loop = retrain_account.make_account()
    event = loop.publish("v1", 1000)
    with trouble(*BUS, result="raised", answer=EVENT), pytest.raises(retrain_outbox.NotDeliveredError):
        loop.tell(event)
    loop.look()
    assert [type for type, _ in loop.announced()] == ["Retraining Started"]


def test_a_refused_batch_of_the_etl_is_printed_when_the_bus_does_not_take_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with trouble(*BUS, result="printed, the refusal itself is raised", answer=EVENT):
        run_step._notify("default")({"table": "clean"})
    last = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert last["event_not_sent"][0]["ErrorCode"] == "ThrottlingException"


@pytest.fixture
def account() -> Account:
    return make_account(MotoClients())


def test_a_record_that_the_log_did_not_take_is_put_again(account: Account) -> None:
    scorer = Scorer(account.clients, settings=account.settings)
    with trouble(*STREAM, result="put again", answer=RECORD, times=1):
        assert scorer(sqs_event([reading(0)])) == []
    assert len(account.predictions()) == 1


def test_a_record_that_the_log_never_takes_brings_its_reading_back(account: Account) -> None:
    scorer = Scorer(account.clients, settings=account.settings)
    with trouble(*STREAM, result=AGAIN, answer=RECORD):
        assert outcome(account, scorer, sqs_event([reading(0)])) == AGAIN


def test_a_letter_that_the_queue_did_not_take_stays_with_its_message(account: Account) -> None:
    scorer = Scorer(account.clients, settings=account.settings)
    with trouble("sqs", "SendMessageBatch", "Failed", result="reported per record", answer=MESSAGE, times=1):
        assert scorer(sqs_event([b"junk", b"trash"])) == ["m0"]


def test_a_pause_that_the_queue_did_not_take_is_only_logged(account: Account, caplog: pytest.LogCaptureFixture) -> None:
    scorer = Scorer(account.clients, settings=account.settings)
    pause = trouble("sqs", "ChangeMessageVisibilityBatch", "Failed", result=LOGGED, answer=MESSAGE)
    with caplog.at_level(logging.WARNING), pause:
        assert scorer(sqs_event([reading(0)]), prediction_stream="gone") == ["m0"]
    assert "pause not set" in caplog.text


@pytest.mark.parametrize(("times", "sent", "failed"), [(1, 1, 0), (None, 0, 1)])
def test_a_replayed_record_that_the_stream_refuses_is_put_again_and_counted(
    times: int | None, sent: int, failed: int
) -> None:
    s3 = boto3.client("s3", region_name=REGION)
    firehose: Any = boto3.client("firehose", region_name=REGION)
    for bucket in ("backup", "out"):
        s3.create_bucket(Bucket=bucket)
    target = {"RoleARN": "arn:aws:iam::123456789012:role/any", "BucketARN": "arn:aws:s3:::out"}
    firehose.create_delivery_stream(DeliveryStreamName="replay", ExtendedS3DestinationConfiguration=target)
    s3.put_object(Bucket="backup", Key="telemetry/2027/01/15/12/a", Body=gzip.compress(record(1)))
    tools = replay_records.Tools(s3=s3, firehose=firehose, time_left=lambda: 900.0, sleep=lambda seconds: None)
    result = "put again" if times else "counted as failed, the replay is not complete"
    with trouble(*STREAM, result=result, answer=RECORD, times=times):
        counts = replay_records.run(env=ENV, event=HOUR, tools=tools)["counts"]
    assert (counts["sent"], counts["failed"]) == (sent, failed)
    assert replay_records.total([{"counts": counts}])["complete"] == bool(times)
