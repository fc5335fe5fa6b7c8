"""A mocked account for retraining's handler: table, bucket, machines, alarm and bus on moto; runs end when told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from moto import mock_aws

from handlers import start_retraining
from ml_lens_runtime.retrain_outbox import SOURCE
from ml_lens_runtime.retrain_setup import RetrainClients, Setup
from ml_lens_runtime.retrain_state import State
from ml_lens_runtime.retrain_store import StateStore
from tests.handlers.fake_services import aws_error

REGION, ACCOUNT = "us-east-1", "123456789012"
NOW = 1_800_000_000.0
COOL_DOWN = 3600
ARN = f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:"
TRAINING, LAKE = f"{ARN}training", f"{ARN}lake"
SETUP = Setup(
    name="loop",
    table="records",
    machine_arn=TRAINING,
    preparation_arn="",
    bucket="lake",
    prefix="datasets/",
    cool_down_seconds=COOL_DOWN,
    minimum_new_rows=100,
)


class FakeMachines:
    """Step Functions of two machines: names are unique per machine, executions end when told.

    Runs no state, checks no input, and shows every execution at once (AWS may be a little behind).
    """

    def __init__(self) -> None:
        self.executions: dict[str, dict[str, Any]] = {}
        self.most_at_once = 0

    def start_execution(self, *, stateMachineArn: str, name: str, input: str) -> dict[str, Any]:  # noqa: N803
        arn = f"{stateMachineArn.replace('stateMachine', 'execution')}:{name}"
        known = self.executions.get(arn)
        if known is not None and (known["status"] != "RUNNING" or known["input"] != input):
            raise aws_error("ExecutionAlreadyExists")
        self.executions.setdefault(arn, {"status": "RUNNING", "input": input, "arn": arn})
        self.most_at_once = max(self.most_at_once, len(self.running()))
        return {"executionArn": arn}

    def describe_execution(self, *, executionArn: str) -> dict[str, Any]:  # noqa: N803
        if executionArn not in self.executions:
            raise aws_error("ExecutionDoesNotExist")
        return dict(self.executions[executionArn])

    def running(self) -> list[str]:
        return [arn for arn, found in self.executions.items() if found["status"] == "RUNNING"]

    def started(self, machine: str) -> list[dict[str, Any]]:
        """Return the inputs of a machine's executions, in order."""
        of = machine.replace("stateMachine", "execution")
        return [json.loads(one["input"]) for arn, one in self.executions.items() if arn.startswith(f"{of}:")]

    def end(self, status: str = "SUCCEEDED", error: str = "") -> dict[str, Any]:
        """End the one that runs; return EventBridge's event."""
        (arn,) = self.running()
        more = {"error": error} if error else {}
        self.executions[arn] |= {"status": status, **more}
        detail = {"executionArn": arn, "status": status, "error": error or None}
        return {"source": "aws.states", "detail-type": "Step Functions Execution Status Change", "detail": detail}


@dataclass
class Account:
    """Retraining in a mocked account; `now` moves only when told."""

    clients: RetrainClients
    inbox: str
    machines: FakeMachines = field(default_factory=FakeMachines)
    setup: Setup = SETUP
    now: float = NOW

    def __post_init__(self) -> None:
        self.clients.__dict__["state_machine"] = self.machines

    def tell(self, event: Any, clients: RetrainClients | None = None) -> dict[str, Any]:
        return start_retraining.run(
            setup=self.setup,
            event=event,
            clients=self.clients if clients is None else clients,
            now=self.now,
            sleep=lambda seconds: None,
        )

    def look(self) -> dict[str, Any]:
        return self.tell({"look": True})

    def end(self, status: str = "SUCCEEDED", error: str = "") -> dict[str, Any]:
        return self.tell(self.machines.end(status, error))

    def cool(self) -> None:
        self.now += COOL_DOWN

    def prepare_first(self) -> None:
        """Give retraining a preparation, as a deployment would."""
        self.setup = replace(self.setup, preparation_arn=LAKE)

    def publish(self, version: str, rows: int, *, sequencer: str = "1") -> dict[str, Any]:
        """Write a dataset's manifest, and the newest; return the event of the first."""
        manifest = json.dumps({"version": version, "rows": {"train": rows - 20, "validation": 10, "test": 10}})
        self.put(f"datasets/{version}/dataset.json", manifest)
        self.put("datasets/current.json", manifest)
        return created(f"datasets/{version}/dataset.json", sequencer=sequencer)

    def put(self, key: str, text: str) -> None:
        self.clients.artifacts.put_object(Bucket="lake", Key=key, Body=text.encode())

    def alarm(self, value: str, name: str = "drift", at: str = "2026-11-21T08:00:00.000+0000") -> dict[str, Any]:
        """Set an alarm; return EventBridge's event."""
        self.clients.watch.set_alarm_state(AlarmName=name, StateValue=value, StateReason="test")
        state = {"value": value, "timestamp": at, "reason": "too much"}
        detail = {"alarmName": name, "state": state}
        return {"source": "aws.cloudwatch", "detail-type": "CloudWatch Alarm State Change", "detail": detail}

    def state(self) -> State:
        return StateStore(table=self.setup.table, client=self.clients.ledger).load()

    def announced(self) -> list[tuple[str, dict[str, Any]]]:
        """Return type and detail of the events since the last time."""
        found: list[tuple[str, dict[str, Any]]] = []
        while part := self.clients.queue.receive_message(QueueUrl=self.inbox, MaxNumberOfMessages=10).get("Messages"):
            for message in part:
                body = json.loads(message["Body"])
                found.append((body["detail-type"], body["detail"]))
                self.clients.queue.delete_message(QueueUrl=self.inbox, ReceiptHandle=message["ReceiptHandle"])
        return found

    def trained(self) -> list[str]:
        """Return the dataset of every training run, in order."""
        return [given["dataset"] for given in self.machines.started(TRAINING)]


def created(key: str, *, sequencer: str) -> dict[str, Any]:
    """Return S3's event of a new object."""
    detail = {"bucket": {"name": "lake"}, "object": {"key": key, "sequencer": sequencer}}
    return {"source": "aws.s3", "detail-type": "Object Created", "id": "e", "detail": detail}


def scheduled(at: str) -> dict[str, Any]:
    return {"cause": "schedule", "name": "weekly", "at": at}


@contextmanager
def mocked_account(monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    """Mock AWS and make the account."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    with mock_aws():
        yield make_account()


def make_account() -> Account:
    """Make what the handler uses, and a queue that hears its events."""
    clients = RetrainClients(region=REGION)
    clients.ledger.create_table(
        TableName="records",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    clients.artifacts.create_bucket(Bucket="lake")
    for name in ("drift", "other"):
        clients.watch.put_metric_alarm(
            AlarmName=name,
            Namespace="n",
            MetricName="m",
            ComparisonOperator="GreaterThanThreshold",
            EvaluationPeriods=1,
            Threshold=0,
            Period=60,
            Statistic="Sum",
        )
    inbox = clients.queue.create_queue(QueueName="inbox")["QueueUrl"]
    clients.bus.put_rule(Name="heard", EventPattern=json.dumps({"source": [SOURCE]}))
    clients.bus.put_targets(Rule="heard", Targets=[{"Id": "q", "Arn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:inbox"}])
    return Account(clients=clients, inbox=inbox)
