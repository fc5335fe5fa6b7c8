"""Retraining's role, with IAM enforced: without any one statement of its calls it fails, and goes on with it again."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from cdk_ml_lens.local import LaptopCloud
from tests.local.test_retraining import outputs, publish, runs, state

__all__ = ("outputs",)  # the fixture
pytestmark = pytest.mark.laptop_cloud
LOOK = {"look": True}


def tell(cloud: LaptopCloud, outputs: dict[str, str], event: dict[str, Any]) -> dict[str, Any]:
    answer = cloud.client("lambda").invoke(FunctionName=outputs["Function"], Payload=json.dumps(event).encode())
    body: dict[str, Any] = json.loads(answer["Payload"].read())
    return body


@contextmanager
def without(cloud: LaptopCloud, action: str) -> Iterator[None]:
    """Take the statement of an action from the policy of the handler's role."""
    iam = cloud.client("iam")
    (role,) = [item["RoleName"] for item in iam.list_roles()["Roles"] if "RetrainingHandlerRole" in item["RoleName"]]
    (name,) = iam.list_role_policies(RoleName=role)["PolicyNames"]
    document = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
    kept = [one for one in document["Statement"] if action not in actions(one)]
    assert len(kept) < len(document["Statement"])
    try:
        changed = json.dumps({**document, "Statement": kept})
        iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=changed)
        yield
    finally:
        iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(document))


def actions(statement: dict[str, Any]) -> list[str]:
    found = statement["Action"]
    return [found] if isinstance(found, str) else list(found)


def denied(answer: dict[str, Any]) -> bool:
    return "AccessDenied" in json.dumps(answer) or "not authorized" in json.dumps(answer)


def at_rest(cloud: LaptopCloud, outputs: dict[str, str]) -> bool:
    found = state(cloud, outputs)
    return bool(found) and found["run"] is None and not found["waiting"] and not found["outbox"]


@pytest.fixture(scope="module")
def dataset(guarded: LaptopCloud, outputs: dict[str, str], until: Callable[..., Any]) -> str:
    """The manifest of a dataset that was trained on."""
    publish(guarded, outputs, "v0", 1000)
    until(lambda: at_rest(guarded, outputs), seconds=60)
    return f"s3://{outputs['Lake']}/datasets/v0/dataset.json"


@pytest.mark.parametrize("action", ["dynamodb:GetItem", "s3:GetObject", "states:StartExecution", "events:PutEvents"])
def test_without_a_statement_a_cause_fails_and_is_taken_up_when_it_is_back(
    guarded: LaptopCloud, outputs: dict[str, str], dataset: str, until: Callable[..., Any], action: str
) -> None:
    before = len(runs(guarded, outputs["Training"]))
    event = {"cause": "manual", "id": action, "dataset": dataset}
    with without(guarded, action):
        assert denied(tell(guarded, outputs, event))
    tell(guarded, outputs, event)
    until(lambda: at_rest(guarded, outputs), seconds=60)
    assert len(runs(guarded, outputs["Training"])) == before + 1


@pytest.mark.usefixtures("dataset")
def test_without_the_look_at_executions_or_alarms_a_run_is_not_followed(
    guarded: LaptopCloud, outputs: dict[str, str], until: Callable[..., Any]
) -> None:
    publish(guarded, outputs, "w1", 5000)
    until(lambda: state(guarded, outputs).get("run"), seconds=60)
    with without(guarded, "states:DescribeExecution"):
        assert denied(tell(guarded, outputs, LOOK))
    until(lambda: (state(guarded, outputs)["run"] or {}).get("started"), seconds=60)
    told = {"alarmName": outputs["Alarm"], "state": {"value": "ALARM", "timestamp": "then"}}
    event = {"source": "aws.cloudwatch", "detail-type": "CloudWatch Alarm State Change", "detail": told}
    with without(guarded, "cloudwatch:DescribeAlarms"):
        assert not denied(tell(guarded, outputs, event))  # it waits behind the run
        until(lambda: state(guarded, outputs)["run"] is None, seconds=60)
        assert denied(tell(guarded, outputs, LOOK))
    answer = tell(guarded, outputs, LOOK)
    assert answer.get("outcome") == "idle", answer  # the alarm is not in ALARM


def test_an_event_that_cannot_be_handled_ends_in_the_dead_letters(
    guarded: LaptopCloud, outputs: dict[str, str], until: Callable[..., Any]
) -> None:
    client = guarded.client("lambda")
    client.invoke(FunctionName=outputs["Function"], InvocationType="Event", Payload=b'{"neither": "nor"}')
    queue = guarded.client("sqs")
    (letter,) = until(lambda: queue.receive_message(QueueUrl=outputs["Dead"]).get("Messages"), seconds=60)
    assert json.loads(letter["Body"])["requestPayload"] == {"neither": "nor"}
