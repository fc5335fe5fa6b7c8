"""Replay of backed-up records: the range, every record once, refusals, time running out, and the sums."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Iterator
from random import Random
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from handlers import replay_records
from handlers.replay_records import ReplaySettings, Tools, run
from ml_lens_runtime import backup_records
from ml_lens_runtime.errors import ConfigurationError
from ml_lens_runtime.machine_events import EventError
from tests.handlers.fakes import aws_error
from tests.handlers.faults.trouble import FaultyClient
from tests.handlers.support import rule_output

ENV = ReplaySettings(bucket="backup", prefix="telemetry/", stream="replay")
NOON = 1_800_014_400_000  # 2027-01-15T12:00:00Z
RANGE = {"step": "plan", "from": "2027-01-15T12:00:00Z", "to": "2027-01-15T13:30:00+00:00"}


class FakeStream:
    """Takes PutRecordBatch and remembers it. Delivers nowhere, knows no rate; ``refuse`` numbers of calls fail."""

    def __init__(self) -> None:
        self.taken: list[bytes] = []
        self.batches: list[int] = []
        self.refuse: dict[int, int] = {}

    def put_record_batch(self, *, DeliveryStreamName: str, Records: list[dict[str, bytes]]) -> dict[str, Any]:  # noqa: N803
        assert DeliveryStreamName == "replay"
        assert len(Records) <= 500
        assert sum(len(record["Data"]) for record in Records) <= 4 * 1024 * 1024
        refused = self.refuse.get(len(self.batches), 0)
        self.batches.append(len(Records))
        self.taken += [record["Data"] for record in Records[refused:]]
        slow = {"ErrorCode": "ServiceUnavailableException", "ErrorMessage": "slow down"}
        answers = [slow if number < refused else {"RecordId": "r"} for number in range(len(Records))]
        return {"FailedPutCount": refused, "RequestResponses": answers}


@pytest.fixture
def s3() -> Iterator[Any]:
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket="backup")
        yield client


def record(number: int, *, at: int = NOON, end: str = "\n") -> bytes:
    fields = rule_output({"n": number, "text": "}{é"}, trace=f"t{number}") | {"received_at": at}
    return json.dumps(fields).encode() + end.encode()


def tools(s3: Any, stream: FakeStream, *, left: Iterator[float] | None = None) -> Tools:
    time_left = (lambda: 900.0) if left is None else (lambda: next(left))
    return Tools(s3=s3, firehose=stream, time_left=time_left, sleep=lambda seconds: None)


def put(s3: Any, hour: str, *records: bytes, name: str = "a", packed: bool = True) -> None:
    body = b"".join(records)
    s3.put_object(Bucket="backup", Key=f"telemetry/{hour}/{name}", Body=gzip.compress(body) if packed else body)


def replay(with_tools: Tools, asked: dict[str, Any] = RANGE) -> dict[str, Any]:
    """Walk the machine's steps: plan, each hour until it is done, sum."""
    done = []
    for piece in run(env=ENV, event=asked, tools=with_tools)["hours"]:
        state = run(env=ENV, event=piece, tools=with_tools)
        while not state["done"]:
            state = run(env=ENV, event=state, tools=with_tools)
        done.append({"counts": state["counts"]})
    return run(env=ENV, event={"step": "sum", "hours": done}, tools=with_tools)


def test_a_record_comes_back_byte_for_byte_and_only_if_it_was_received_in_the_range(s3: Any) -> None:
    last = NOON + 90 * 60_000
    put(s3, "2027/01/15/12", record(1, at=NOON - 1), record(2), record(3, at=last - 1), record(4, at=last))
    stream = FakeStream()
    assert replay(tools(s3, stream)) == {
        "objects": 1,
        "unreadable": 0,
        "listed": 4,
        "outside": 2,
        "sent": 2,
        "failed": 0,
        "complete": True,
    }
    assert stream.taken == [record(2), record(3, at=last - 1)]


def test_the_hours_before_and_after_are_read_too_for_a_buffer_waits_and_a_stamp_precedes_the_stream(s3: Any) -> None:
    put(s3, "2027/01/15/11", record(1))
    put(s3, "2027/01/15/14", record(2, at=NOON + 89 * 60_000))
    put(s3, "2027/01/15/15", record(3))
    stream = FakeStream()
    assert replay(tools(s3, stream))["sent"] == 2
    assert stream.taken == [record(1), record(2, at=NOON + 89 * 60_000)]


def test_records_without_line_ends_and_plain_objects_are_told_apart(s3: Any) -> None:
    put(s3, "2027/01/15/12", *(record(n, end="") for n in range(3)), packed=False)
    stream = FakeStream()
    assert replay(tools(s3, stream))["sent"] == 3
    assert stream.taken == [record(n) for n in range(3)]


@pytest.mark.parametrize("poison", [b"no json", b'{"cut": ', b"\xff\xfe{", b"[1]", b'{"received_at": true}'])
def test_poison_that_was_backed_up_is_sent_again_as_it_was(poison: bytes, s3: Any) -> None:
    put(s3, "2027/01/15/12", record(1), poison + b"\n", record(2))
    stream = FakeStream()
    assert replay(tools(s3, stream))["complete"]
    assert stream.taken == [record(1), poison + b"\n", record(2)]


def test_a_broken_object_is_counted_and_the_others_are_replayed(s3: Any) -> None:
    put(s3, "2027/01/15/12", b"\x1f\x8bbroken", name="a", packed=False)
    put(s3, "2027/01/15/12", record(1), name="b")
    answer = replay(tools(s3, FakeStream()))
    assert (answer["unreadable"], answer["sent"], answer["complete"]) == (1, 1, False)


def test_what_the_stream_refuses_is_sent_again_alone(s3: Any) -> None:
    put(s3, "2027/01/15/12", *(record(n) for n in range(10)))
    stream = FakeStream()
    stream.refuse = {0: 4, 1: 1}
    assert replay(tools(s3, stream))["sent"] == 10
    assert stream.batches == [10, 4, 1]
    assert Counter(stream.taken) == Counter(record(n) for n in range(10))


def test_what_is_refused_to_the_end_makes_the_replay_incomplete(s3: Any) -> None:
    put(s3, "2027/01/15/12", *(record(n) for n in range(10)))
    stream = FakeStream()
    stream.refuse = dict.fromkeys(range(9), 1)
    answer = replay(tools(s3, stream))
    assert (answer["sent"], answer["failed"], answer["complete"]) == (9, 1, False)


def test_a_record_larger_than_the_stream_takes_fails_alone(s3: Any) -> None:
    put(s3, "2027/01/15/12", b"x" * 1_100_000 + b"\n", record(1))
    answer = replay(tools(s3, FakeStream()))
    assert (answer["sent"], answer["failed"], answer["complete"]) == (1, 1, False)


def test_time_running_out_continues_after_the_last_object(s3: Any) -> None:
    for name in "abcde":
        put(s3, "2027/01/15/12", record(ord(name)), name=name)
    stream = FakeStream()
    left = iter([900.0, 900.0, 100.0, 900.0, 100.0, 900.0, 900.0])
    answer = replay(tools(s3, stream, left=left))
    assert (answer["objects"], answer["sent"], answer["complete"]) == (5, 5, True)
    assert stream.taken == [record(ord(name)) for name in "abcde"]


def test_ten_thousand_records_are_each_sent_once_whatever_the_objects_look_like(s3: Any) -> None:
    rng = Random(20_261_121)
    inside: Counter[bytes] = Counter()
    listed = 0
    for number in range(40):
        records = []
        for n in range(250):
            at = NOON + rng.randrange(-1_800_000, 7_200_000)
            records.append(record(number * 250 + n, at=at, end=rng.choice(["", "\n", "\r\n"])))
            kept = NOON <= at < NOON + 90 * 60_000
            inside[record(number * 250 + n, at=at)] += kept
            listed += 1
        put(s3, f"2027/01/15/{rng.choice(['12', '13'])}", *records, name=str(number), packed=rng.random() < 0.5)
    stream = FakeStream()
    answer = replay(tools(s3, stream))
    assert Counter(stream.taken) == +inside
    assert (answer["listed"], answer["sent"] + answer["outside"], answer["complete"]) == (listed, listed, True)
    assert 0 < answer["outside"] < listed


def test_a_refused_object_ends_the_step_and_nothing_that_was_replayed_comes_again(s3: Any) -> None:
    for name in "abc":
        put(s3, "2027/01/15/12", record(ord(name)), name=name)
    missing = aws_error("SlowDown", "GetObject")
    failures = iter([None, None, missing, None, missing, None, None, None])
    refused = FaultyClient(s3, before=lambda name: next(failures))
    stream = FakeStream()
    step = run(env=ENV, event=RANGE, tools=tools(s3, stream))["hours"][1]

    state = run(env=ENV, event=step, tools=tools(refused, stream))
    assert (state["done"], state["counts"]["objects"], state["after"]) == (False, 1, "telemetry/2027/01/15/12/a")
    with pytest.raises(ClientError, match="SlowDown"):
        run(env=ENV, event=state, tools=tools(refused, stream))
    state = run(env=ENV, event=state, tools=tools(refused, stream))

    assert (state["done"], state["counts"]["sent"]) == (True, 3)
    assert stream.taken == [record(ord(name)) for name in "abc"]


@pytest.mark.parametrize(
    ("first", "last", "message"),
    [
        ("2027-01-15T12:00:00Z", "2027-01-15T12:00:00Z", "from must be before to"),
        ("2027-01-15T12:00:00", "2027-01-15T13:00:00Z", "must have Z or an offset"),
        ("2027-01-15T12:00:00Z", "2027-02-15T12:00:00Z", "at most 744 hours, got 746"),
        ("yesterday", "2027-01-15T12:00:00Z", "Invalid isoformat"),
    ],
)
def test_a_bad_range_is_refused(first: str, last: str, message: str, s3: Any) -> None:
    with pytest.raises(ValueError, match=message):
        run(env=ENV, event={"step": "plan", "from": first, "to": last}, tools=tools(s3, FakeStream()))


def test_the_longest_plan_and_its_results_fit_a_state_of_the_machine(s3: Any) -> None:
    asked = {"step": "plan", "from": "2027-01-15T12:00:00Z", "to": "2027-02-15T10:00:00Z"}
    plan = run(env=ENV, event=asked, tools=tools(s3, FakeStream()))
    counts = dict.fromkeys(replay_records.COUNTS, 10**9)
    assert len(plan["hours"]) == 744
    assert len(json.dumps(plan)) < 256 * 1024
    assert len(json.dumps([{"counts": counts}] * 744)) < 256 * 1024


def test_a_record_that_says_no_time_counts_as_inside() -> None:
    (stored,) = backup_records.split('{"a": 1}')
    assert stored.within(0, 1)


@pytest.mark.parametrize(
    ("event", "said"),
    [
        ({"step": "walk"}, "step must be one of"),
        ({}, "step must be a printable text"),
        ({"step": "sum", "hours": 3}, "hours must be a list, got int"),
    ],
)
def test_a_step_that_no_machine_asks_for_is_refused(s3: Any, event: dict[str, Any], said: str) -> None:
    stream = FakeStream()
    with pytest.raises(EventError, match=said):
        run(env=ENV, event=event, tools=tools(s3, stream))
    assert stream.taken == []


@pytest.mark.parametrize("missing", ["BACKUP_BUCKET", "BACKUP_PREFIX", "STREAM_NAME"])
def test_a_missing_variable_is_refused_by_name(missing: str) -> None:
    given = {"BACKUP_BUCKET": "b", "BACKUP_PREFIX": "p", "STREAM_NAME": "s"}
    with pytest.raises(ConfigurationError, match=f"{missing} must be set"):
        ReplaySettings.parse(given | {missing: " "})


def test_the_entry_point_delivers_through_a_real_client(s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    class Context:
        def get_remaining_time_in_millis(self) -> int:
            return 900_000

    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    for name, value in (("BACKUP_BUCKET", "backup"), ("BACKUP_PREFIX", "telemetry/"), ("STREAM_NAME", "replay")):
        monkeypatch.setenv(name, value)
    s3.create_bucket(Bucket="lake")
    target = {"BucketARN": "arn:aws:s3:::lake", "RoleARN": "arn:aws:iam::123456789012:role/any", "Prefix": "out/"}
    firehose = boto3.client("firehose", region_name="us-east-1")
    firehose.create_delivery_stream(DeliveryStreamName="replay", ExtendedS3DestinationConfiguration=target)
    put(s3, "2027/01/15/12", record(1), record(2))
    replay_records._process.cache_clear()
    hours = replay_records.handler(RANGE, Context())["hours"]
    assert [replay_records.handler(hour, Context())["counts"]["sent"] for hour in hours] == [0, 2, 0, 0]
    (entry,) = s3.list_objects_v2(Bucket="lake")["Contents"]
    assert s3.get_object(Bucket="lake", Key=entry["Key"])["Body"].read() == record(1) + record(2)
    replay_records._process.cache_clear()
