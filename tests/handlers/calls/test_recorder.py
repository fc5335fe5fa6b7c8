"""The recorder and the trouble themselves: whose calls are noted, what an error on the wire is for botocore."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from handlers import verify_rollout
from ml_lens_runtime import s3_json
from tests.calls import evidence, plugin
from tests.calls.recorder import Recorder
from tests.calls.scan import Call
from tests.calls.trouble import stubbed, trouble
from tests.handlers.calls.cases import account
from tests.handlers.test_verify_rollout import answer, event

READ = Call(file="lambda_src/ml_lens_runtime/s3_json.py", service="s3", operation="GetObject")


@pytest.fixture
def s3() -> Iterator[Any]:
    with account("us-east-1"):
        client = boto3.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket="bucket")
        client.put_object(Bucket="bucket", Key="k", Body=b"{}")
        yield client


def test_calls_of_the_product_are_noted_and_those_of_a_test_are_not(s3: Any) -> None:
    recorder = Recorder()
    with recorder.recording():
        s3.get_object(Bucket="bucket", Key="k")
        assert recorder.seen == []
        s3_json.read(s3, "s3://bucket/k")
    (seen,) = recorder.seen
    assert (seen.call, seen.handler, seen.how, seen.code, seen.answered) == (READ, None, "moto", None, True)


def test_what_a_stubber_answers_is_told_apart_and_the_handler_is_named() -> None:
    recorder = Recorder()
    with recorder.recording(), stubbed("sagemaker", "DescribeEndpoint", "Gone", result="told"):
        answer(event(), None, "Gone")
    (seen,) = recorder.seen
    assert seen.call.file == f"lambda_src/handlers/{verify_rollout.__name__.rpartition('.')[2]}.py"
    assert (seen.handler, seen.how, seen.code, seen.result) == ("verify_rollout", "Stubber", "Gone", "told")


@pytest.mark.parametrize(("times", "answered", "requests"), [(1, True, 2), (None, False, 3)])
def test_an_error_on_the_wire_is_tried_again_by_botocore(
    times: int | None, answered: bool, requests: int, s3: Any
) -> None:
    recorder = Recorder()
    with recorder.recording(), trouble("s3", "GetObject", "SlowDown", result="said", times=times) as met:
        if answered:
            assert s3_json.read(s3, "s3://bucket/k") == {}
        else:
            with pytest.raises(ClientError, match="SlowDown"):
                s3_json.read(s3, "s3://bucket/k")
    (seen,) = recorder.seen
    assert (seen.code, seen.result, seen.answered) == ("SlowDown", "said", answered)
    assert met.requests >= requests  # how often is for botocore to say


def test_trouble_that_nobody_met_fails(s3: Any) -> None:
    with pytest.raises(AssertionError, match="s3 PutObject was not called"), trouble("s3", "PutObject", "X", result=""):
        s3_json.read(s3, "s3://bucket/k")


def test_an_error_of_trouble_changes_nothing(s3: Any) -> None:
    with trouble("s3", "PutObject", "AccessDenied", result="raised"), pytest.raises(ClientError, match="AccessDenied"):
        s3_json.write(s3, "s3://bucket/new", {})
    with pytest.raises(s3.exceptions.NoSuchKey):
        s3_json.read(s3, "s3://bucket/new")


def test_a_further_page_is_noted_and_a_failed_test_is_not(s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from ml_lens_etl.store import S3Store

    monkeypatch.setenv("MOTO_S3_DEFAULT_MAX_KEYS", "1")
    s3.put_object(Bucket="bucket", Key="l", Body=b"")
    recorder = Recorder()
    with recorder.recording():
        recorder.test = "one"
        assert len(S3Store(s3).entries("s3://bucket/")) == 2
        recorder.test = "two"
        s3_json.read(s3, "s3://bucket/k")
    recorder.failed.add("two")
    (row,) = evidence.document(recorder.passed())["calls"]
    assert (row["operation"], row["pages"], row["errors"]) == ("ListObjectsV2", "one", [])


def test_evidence_is_refused_where_each_process_would_see_a_part(monkeypatch: pytest.MonkeyPatch) -> None:
    config: Any = SimpleNamespace(workerinput={}, getoption=lambda *_, **__: None)
    monkeypatch.setenv(plugin.VARIABLE, "1")
    with pytest.raises(pytest.UsageError, match="one process"):
        plugin.register(config)
    monkeypatch.delenv(plugin.VARIABLE)
    plugin.register(config)


def test_a_stubbers_answers_pass_the_wire_by() -> None:
    client = boto3.client("sqs", region_name="us-east-1")
    with Stubber(client) as stub:
        stub.add_response("get_queue_url", {"QueueUrl": "u"})
        with pytest.raises(AssertionError, match="was not called"), trouble("sqs", "GetQueueUrl", "X", result=""):
            client.get_queue_url(QueueName="q")
