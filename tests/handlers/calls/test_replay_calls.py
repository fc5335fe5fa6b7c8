"""replay_records on moto's S3 and Firehose: each call throttled and refused, and an hour of two pages."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from handlers.replay_records import Tools, run
from tests.handlers.calls.cases import DONE, Case, account, raised, troubles
from tests.handlers.moto_account import ROLE
from tests.handlers.test_replay_records import ENV, NOON, record

HOUR = {"step": "hour", "hour": "2027/01/15/12", "after": "", "counts": {}, "from_ms": NOON, "to_ms": NOON + 3_600_000}
EARLY = "the step ends early, the next goes on"


@pytest.fixture
def tools() -> Iterator[Tools]:
    with account("us-east-1"):
        s3 = boto3.client("s3", region_name="us-east-1")
        firehose = boto3.client("firehose", region_name="us-east-1")
        for bucket in ("backup", "out"):
            s3.create_bucket(Bucket=bucket)
        target = {"RoleARN": ROLE, "BucketARN": "arn:aws:s3:::out", "Prefix": "replayed/"}
        firehose.create_delivery_stream(DeliveryStreamName="replay", ExtendedS3DestinationConfiguration=target)
        yield Tools(s3=s3, firehose=firehose, time_left=lambda: 900.0, sleep=lambda seconds: None)


def put(tools: Tools, number: int) -> None:
    key = f"telemetry/2027/01/15/12/{number:04d}"
    tools.s3.put_object(Bucket="backup", Key=key, Body=gzip.compress(record(number)))


def hour(tools: Tools) -> dict[str, Any]:
    return run(env=ENV, event=HOUR, tools=tools)


FIRST = (Case(call="s3:ListObjectsV2"), Case(call="s3:GetObject"), Case(call="firehose:PutRecordBatch"))
LATER = (
    Case(call="s3:GetObject", way="second object", skip=1, busy=EARLY, refused=EARLY),
    Case(call="firehose:PutRecordBatch", way="second object", skip=1, busy=EARLY, refused=EARLY),
)


@pytest.mark.parametrize(("case", "kind"), troubles(FIRST))
def test_a_step_that_got_nowhere_raises(case: Case, kind: str, tools: Tools) -> None:
    put(tools, 1)
    case.meet(kind, lambda: raised(lambda: hour(tools), ClientError))


@pytest.mark.parametrize(("case", "kind"), troubles(LATER))
def test_a_step_that_got_somewhere_ends_there_and_the_next_goes_on(case: Case, kind: str, tools: Tools) -> None:
    for number in (1, 2):
        put(tools, number)

    def act() -> str:
        state = hour(tools)
        if state["done"]:
            return DONE
        assert run(env=ENV, event=state, tools=tools)["counts"]["sent"] == 2
        return EARLY

    if kind == "throttled once":
        case.meet(kind, act)
    else:
        case.meet(kind, lambda: EARLY if not hour(tools)["done"] else DONE)


def test_an_hour_of_three_pages_is_replayed_whole(tools: Tools, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOTO_S3_DEFAULT_MAX_KEYS", "2")  # 1,000 on AWS
    for number in range(5):
        put(tools, number)
    assert hour(tools)["counts"]["sent"] == 5
