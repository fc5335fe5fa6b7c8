"""A mocked account with everything that the scorer uses, through boto3 on moto."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

import boto3
from moto.iotdata.models import iotdata_backends

from ml_lens_runtime.clients import Clients
from ml_lens_runtime.env import Action, Settings
from tests.handlers.fakes import FakeEndpoint
from tests.handlers.support import COMMAND, SETTINGS

REGION = "us-east-1"
ROLE = "arn:aws:iam::123456789012:role/any"


class MotoClients(Clients):
    """Every client against moto, but the endpoint: moto has no model behind InvokeEndpoint."""

    endpoint: FakeEndpoint

    def __init__(self) -> None:
        super().__init__(region=REGION)
        self.endpoint = FakeEndpoint()


@dataclass(frozen=True, kw_only=True)
class Account:
    """What was made in the mocked account."""

    clients: MotoClients
    settings: Settings
    source: str
    inbox: str

    def letters(self) -> list[dict[str, Any]]:
        return [json.loads(message["Body"]) for message in self._receive(self.settings.dead_letter_queue_url)]

    def notices(self) -> list[dict[str, Any]]:
        return [json.loads(message["Body"]) for message in self._receive(self.inbox)]

    def _receive(self, url: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        while part := self.clients.queue.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            found += part
        return found

    def predictions(self) -> list[dict[str, Any]]:
        s3 = boto3.client("s3", region_name=REGION)
        names = [item["Key"] for item in s3.list_objects_v2(Bucket="predictions").get("Contents", [])]
        texts = [s3.get_object(Bucket="predictions", Key=name)["Body"].read().decode() for name in names]
        return [json.loads(line) for text in texts for line in text.splitlines()]

    def ledger(self) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = self.clients.ledger.scan(TableName="ledger")["Items"]
        return sorted(items, key=lambda item: str(item["id"]["S"]))


def make_account(clients: MotoClients) -> Account:
    """Make table, stream, bucket, queues and topic."""
    _table(clients)
    _stream(clients)
    urls = [clients.queue.create_queue(QueueName=name)["QueueUrl"] for name in ("dead", "source", "inbox")]
    settings = replace(
        SETTINGS,
        dead_letter_queue_url=urls[0],
        source_queue_url=urls[1],
        actions=(_topic(clients), COMMAND),
    )
    return Account(clients=clients, settings=settings, source=urls[1], inbox=urls[2])


def _table(clients: MotoClients) -> None:
    clients.ledger.create_table(
        TableName="ledger",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )


def _stream(clients: MotoClients) -> None:
    boto3.client("s3", region_name=REGION).create_bucket(Bucket="predictions")
    clients.log.create_delivery_stream(
        DeliveryStreamName="predictions",
        ExtendedS3DestinationConfiguration={
            "RoleARN": ROLE, "BucketARN": "arn:aws:s3:::predictions", "Prefix": "predictions/",
        },
    )  # fmt: skip


def _topic(clients: MotoClients) -> Action:
    arn = clients.notify.create_topic(Name="alerts")["TopicArn"]
    clients.notify.subscribe(
        TopicArn=arn,
        Protocol="sqs",
        Endpoint="arn:aws:sqs:us-east-1:123456789012:inbox",
        Attributes={"RawMessageDelivery": "true"},
    )
    return Action(name="tell", kind="notify", target=arn)


def published() -> list[str]:
    """Return the topics of what was published to devices."""
    return [topic for topic, _ in iotdata_backends["123456789012"][REGION].published_payloads]
