"""What of local/ may talk to AWS, on moto: `ml-lens redrive`, `rebuild` and `loadtest`, and claim certificates."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from cdk_ml_lens.local import cli_loadtest, cli_rebuild, cli_redrive
from cdk_ml_lens.local.provisioning import make_claim
from tests.handlers.calls.cases import BUSY, DONE, REFUSED, Case, account, raised, troubles

REGION = "us-east-1"


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)  # no laptop cloud runs here
    monkeypatch.setattr(cli_rebuild, "POLL_SECONDS", 0)
    with account(REGION):
        yield


REDRIVE = (
    Case(call="sqs:GetQueueUrl"),
    Case(call="sqs:ReceiveMessage"),
    Case(call="sqs:SendMessage"),
    Case(call="sqs:DeleteMessage"),
    Case(call="sqs:ChangeMessageVisibilityBatch"),
)


def letters(sqs: Any) -> tuple[int, int]:
    """Return how many messages each queue has, those in flight too."""
    names = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
    found = (
        sqs.get_queue_attributes(QueueUrl=sqs.get_queue_url(QueueName=name)["QueueUrl"], AttributeNames=names)
        for name in ("dead", "readings")
    )
    dead, readings = (sum(int(one["Attributes"][name]) for name in names) for one in found)
    return dead, readings


@pytest.mark.parametrize(("case", "kind"), troubles(REDRIVE))
def test_a_redrive_that_meets_an_error_loses_no_letter(case: Case, kind: str) -> None:
    sqs = boto3.client("sqs", region_name=REGION)
    urls = [sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("dead", "readings")]
    for reason in ("attempts_exhausted", "wrong_type"):
        sqs.send_message(QueueUrl=urls[0], MessageBody=json.dumps({"reason": reason, "payload": "{}"}))
    options = argparse.Namespace(
        source="dead", to="readings", reason=["attempts_exhausted"], send=True, endpoint_url=None
    )
    case.meet(kind, lambda: raised(lambda: cli_redrive.main(options), ClientError))
    assert sum(letters(sqs)) >= 2
    if kind == "throttled once":
        assert letters(sqs) == (1, 1)


REBUILD = (
    Case(call="stepfunctions:ListStateMachines"),
    Case(call="stepfunctions:ListTagsForResource"),
    Case(call="stepfunctions:StartExecution"),
    Case(call="stepfunctions:DescribeExecution"),
)


def machines(count: int) -> Any:
    """Make state machines; the last one rebuilds an endpoint."""
    states = boto3.client("stepfunctions", region_name=REGION)
    definition = json.dumps({"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}})
    for number in range(count):
        tags = [{"key": cli_rebuild.TAG, "value": "turbines"}] if number == count - 1 else []
        role = "arn:aws:iam::123456789012:role/any"
        states.create_state_machine(name=f"m{number}", definition=definition, roleArn=role, tags=tags)
    return states


def rebuild(monkeypatch: pytest.MonkeyPatch) -> int:
    """Run the command; moto leaves executions running, so the first look at one ends it."""
    look = cli_rebuild._run

    def ended(states: Any, arn: str, version: str) -> dict[str, Any]:
        monkeypatch.setenv("SF_EXECUTION_HISTORY_TYPE", "FAILURE")  # moto's name for an execution that has ended
        return look(states, arn, version)

    monkeypatch.setattr(cli_rebuild, "_run", ended)
    return cli_rebuild.main(argparse.Namespace(version="v1", endpoint=None, endpoint_url=None, yes=True, json=True))


@pytest.mark.parametrize(("case", "kind"), troubles(REBUILD))
def test_a_rebuild_that_meets_an_error_says_so(case: Case, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    machines(1)
    case.meet(kind, lambda: raised(lambda: rebuild(monkeypatch), RuntimeError))


def test_the_machine_is_found_on_the_second_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page of ListStateMachines has 100 machines on moto and on AWS."""
    states = machines(101)
    rebuild(monkeypatch)
    arn = f"arn:aws:states:{REGION}:123456789012:stateMachine:m100"
    assert len(states.list_executions(stateMachineArn=arn)["executions"]) == 1


COUNTED = "counted as failed, never retried"
LOAD = Case(call="sagemaker-runtime:InvokeEndpoint", busy=COUNTED, refused=COUNTED)


@pytest.mark.parametrize(("case", "kind"), troubles([LOAD], kinds=(BUSY, REFUSED)))
def test_a_request_of_a_load_test_that_fails_is_counted_as_such(case: Case, kind: str) -> None:
    options = argparse.Namespace(endpoint="turbines", content_type="text/csv", row="1,2")
    send = cli_loadtest._sender(options, None)
    assert send()
    case.meet(kind, lambda: DONE if send() else COUNTED)


CLAIM = (Case(call="iot:CreateKeysAndCertificate"), Case(call="iot:AttachPolicy"))


@pytest.mark.parametrize(("case", "kind"), troubles(CLAIM))
def test_a_claim_that_cannot_be_made_is_not_written(case: Case, kind: str, tmp_path: Path) -> None:
    iot = boto3.client("iot", region_name=REGION)
    iot.create_policy(policyName="claim", policyDocument="{}")
    case.meet(kind, lambda: raised(lambda: make_claim(iot, policy_name="claim", folder=tmp_path), ClientError))
    assert bool(list(tmp_path.iterdir())) == (kind == "throttled once")
