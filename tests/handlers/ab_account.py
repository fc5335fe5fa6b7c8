"""A mocked account for the A/B test's handlers: table, queues, bus and state machine on moto, and a clock."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import pytest
from moto import mock_aws

from handlers import assign_variant, evaluate_test, record_outcome
from ml_lens_runtime.ab_clients import AbClients
from ml_lens_runtime.ab_cohorts import COHORT_INDEX
from ml_lens_runtime.ab_plan import Plan, Setup
from ml_lens_runtime.ab_state import StateCache
from ml_lens_runtime.outcomes import SETTLE_SECONDS
from tests.handlers.ab_support import FIXED, NOW

REGION = "us-east-1"
TABLE = "test-table"


@dataclass
class Account:
    """One test in a mocked account; `now` moves only when told."""

    clients: AbClients
    setup: Setup
    cache: StateCache
    inbox: str
    now: float = NOW

    def plan(self, **changes: Any) -> Plan:
        """Change the plan, as a deployment would."""
        self.setup = replace(self.setup, plan=replace(self.setup.plan, **changes))
        return self.setup.plan

    def assign(self, user_id: str, **more: Any) -> dict[str, Any]:
        event = {"user_id": user_id, **more}
        return assign_variant.run(setup=self.setup, event=event, clients=self.clients, cache=self.cache, now=self.now)

    def report(self, *bodies: Any, sent_at: float | None = None) -> list[str]:
        """Hand a batch of the queue to the recorder; return the ids that have to come again."""
        sent = str(int((self.now if sent_at is None else sent_at) * 1000))
        records = [
            {
                "eventSource": "aws:sqs",
                "messageId": f"m{number}",
                "receiptHandle": "r",
                "body": body if isinstance(body, str) else json.dumps(body),
                "attributes": {"SentTimestamp": sent, "ApproximateReceiveCount": "1"},
            }
            for number, body in enumerate(bodies)
        ]
        answer = self.call({"Records": records})
        return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]

    def call(self, event: Any) -> dict[str, Any]:
        return record_outcome.run(
            setup=self.setup, event=event, clients=self.clients, now=self.now, request_id="request"
        )

    def evaluate(self, *, time_left: float = 300.0) -> dict[str, Any]:
        return evaluate_test.run(setup=self.setup, clients=self.clients, now=self.now, time_left=lambda: time_left)

    def close_windows(self) -> None:
        """Move the clock to when everything of now is complete."""
        plan = self.setup.plan
        self.now = plan.closes_at(plan.cohort(self.now)) + SETTLE_SECONDS

    def letters(self) -> list[dict[str, Any]]:
        return [json.loads(body) for body in self._receive(self.setup.dead_letter_queue_url)]

    def announced(self) -> list[dict[str, Any]]:
        return [json.loads(body) for body in self._receive(self.inbox)]

    def started(self) -> list[dict[str, Any]]:
        client = self.clients.state_machine
        found = client.list_executions(stateMachineArn=self.setup.shift_arn)["executions"]
        return [json.loads(client.describe_execution(executionArn=run["executionArn"])["input"]) for run in found]

    def items(self, kind: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.clients.ledger.scan(TableName=TABLE)["Items"]
        return [item for item in found if item["id"]["S"].startswith(kind)]

    def _receive(self, url: str) -> list[str]:
        found: list[str] = []
        while part := self.clients.queue.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            found += [message["Body"] for message in part]
        return found


@contextmanager
def mocked_account(monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    """Mock AWS and make the account."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    with mock_aws():
        yield make_account()


def make_account() -> Account:
    """Make everything that the handlers use, and a queue that hears the test's events."""
    clients = AbClients(region=REGION)
    clients.ledger.create_table(
        TableName=TABLE,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[
            {"AttributeName": "id", "AttributeType": "S"},
            {"AttributeName": "cohort", "AttributeType": "S"},
        ],
        GlobalSecondaryIndexes=[
            {
                "IndexName": COHORT_INDEX,
                "KeySchema": [{"AttributeName": "cohort", "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
        BillingMode="PAY_PER_REQUEST",
    )
    dead, inbox = (clients.queue.create_queue(QueueName=name)["QueueUrl"] for name in ("dead", "inbox"))
    clients.bus.put_rule(Name="heard", EventPattern=json.dumps({"source": [evaluate_test.SOURCE]}))
    target = {"Id": "inbox", "Arn": f"arn:aws:sqs:{REGION}:123456789012:inbox"}
    clients.bus.put_targets(Rule="heard", Targets=[target])
    setup = Setup(
        plan=FIXED, table=TABLE, endpoint_name="shop", dead_letter_queue_url=dead, shift_arn=_machine(clients)
    )
    return Account(clients=clients, setup=setup, cache=StateCache(), inbox=inbox)


def _machine(clients: AbClients) -> str:
    definition = json.dumps({"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}})
    answer = clients.state_machine.create_state_machine(
        name="shift", definition=definition, roleArn="arn:aws:iam::123456789012:role/any"
    )
    return str(answer["stateMachineArn"])


def outcome(inference_id: str, value: Any = 1) -> dict[str, Any]:
    return {"inference_id": inference_id, "value": value}


def users(account: Account, count: int, *, converted: dict[str, int]) -> list[dict[str, Any]]:
    """Assign users and return the outcomes of the first so many of each variant."""
    left, found = dict(converted), []
    for number in range(count):
        answer = account.assign(f"user-{number}")
        if left[answer["target_variant"]] > 0:
            left[answer["target_variant"]] -= 1
            found.append(outcome(answer["inference_id"]))
    return found
