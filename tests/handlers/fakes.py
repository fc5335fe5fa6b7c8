"""In-memory stand-ins for the AWS clients of the scorer; each says what it does not do."""

# ruff: noqa: N803 (the argument names are boto3's)

from __future__ import annotations

import io
import json
import math
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from ml_lens_runtime.clients import Clients

Row = list[float]
Lines = Callable[[list[Row]], list[str]]


def aws_error(code: str, operation: str = "Operation", **fields: Any) -> ClientError:
    """Return the error that boto3 raises for an error code; `fields` stand beside `Error`."""
    return ClientError({"Error": {"Code": code, "Message": code}, **fields}, operation)  # type: ignore[typeddict-item]


def model_error(status: int) -> ClientError:
    return aws_error("ModelError", "InvokeEndpoint", OriginalStatusCode=status, OriginalMessage="model says no")


def distance_lines(rows: list[Row]) -> list[str]:
    """Score a row by its distance from 20 in the first feature; beyond 10 is an anomaly."""
    scores = [abs(row[0] - 20) for row in rows]
    common = {"threshold": 10.0, "model_version": "v1"}
    return [json.dumps({"score": score, "anomaly": score > 10, **common}) for score in scores]


class FakeEndpoint:
    """A model behind InvokeEndpoint. Does no HTTP, no signing, no variants by weight, no limits of size or rate.

    `failures` are raised one per call, first come; `refuses` makes it answer 400 to a batch that has such a row.
    """

    def __init__(self, lines: Lines = distance_lines) -> None:
        self.lines = lines
        self.failures: list[Exception | None] = []
        self.refuses: Callable[[Row], bool] = lambda row: False
        self.batches: list[list[Row]] = []
        self.requests: list[dict[str, Any]] = []
        self.content_type = "application/jsonlines"

    def invoke_endpoint(self, **request: Any) -> dict[str, Any]:
        self.requests.append(request)
        rows = self._rows(request)
        self.batches.append(rows)
        failure = self.failures.pop(0) if self.failures else None
        if failure is not None:
            raise failure
        if any(self.refuses(row) for row in rows):
            raise model_error(400)
        body = "".join(f"{line}\n" for line in self.lines(rows)).encode()
        return {"Body": io.BytesIO(body), "ContentType": self.content_type, "InvokedProductionVariant": "blue"}

    @staticmethod
    def _rows(request: dict[str, Any]) -> list[Row]:
        lines = request["Body"].decode().splitlines()
        if request["ContentType"] == "text/csv":
            return [[float(cell) for cell in line.split(",")] for line in lines]
        return [json.loads(line)["features"] for line in lines]

    @property
    def scored(self) -> list[float]:
        return [row[0] for batch in self.batches for row in batch]


class FakeLedgerTable:
    """A DynamoDB table with all-or-nothing TransactWriteItems of Puts. No TTL, no capacity, no other operation.

    Understands only the two conditions that the ledger uses, and refuses any other. `failures` as in FakeEndpoint.
    """

    def __init__(self) -> None:
        self.items: dict[str, dict[str, Any]] = {}
        self.failures: list[Exception | None] = []

    def transact_write_items(self, *, TransactItems: list[dict[str, Any]]) -> dict[str, Any]:
        failure = self.failures.pop(0) if self.failures else None
        if failure is not None:
            raise failure
        puts = [entry["Put"] for entry in TransactItems]
        ids = [put["Item"]["id"]["S"] for put in puts]
        assert len(puts) <= 100
        assert len(set(ids)) == len(ids)
        reasons = [self._reason(put) for put in puts]
        if any(reason["Code"] != "None" for reason in reasons):
            raise aws_error("TransactionCanceledException", CancellationReasons=reasons)
        self.items.update({put["Item"]["id"]["S"]: put["Item"] for put in puts})
        return {}

    def _reason(self, put: dict[str, Any]) -> dict[str, Any]:
        item = self.items.get(put["Item"]["id"]["S"])
        condition = put.get("ConditionExpression")
        if condition is None:
            return {"Code": "None"}
        if condition == "attribute_not_exists(id)":
            holds = item is None
        else:
            assert condition == "#state = :claimed AND lease_until = :seen"
            seen = put["ExpressionAttributeValues"][":seen"]["N"]
            holds = item is not None and item["state"]["S"] == "claimed" and _same(item["lease_until"]["N"], seen)
        if holds:
            return {"Code": "None"}
        return {"Code": "ConditionalCheckFailed"} | ({} if item is None else {"Item": item})


def _same(left: str, right: str) -> bool:
    return math.isclose(float(left), float(right), abs_tol=1e-9)


class FakeQueue:
    """SQS as the scorer uses it: takes dead letters and pauses. Delivers nothing, knows no visibility by itself."""

    def __init__(self) -> None:
        self.letters: list[dict[str, Any]] = []
        self.attributes: list[dict[str, Any]] = []
        self.pauses: dict[str, int] = {}
        self.refuses: Callable[[dict[str, Any]], bool] = lambda letter: False

    def send_message_batch(self, *, QueueUrl: str, Entries: list[dict[str, Any]]) -> dict[str, Any]:
        assert QueueUrl == "https://queues/dead-letters"
        assert len(Entries) <= 10
        assert sum(len(entry["MessageBody"]) for entry in Entries) <= 256 * 1024
        refused = []
        for entry in Entries:
            letter = json.loads(entry["MessageBody"])
            if self.refuses(letter):
                refused.append({"Id": entry["Id"], "Code": "InternalError", "SenderFault": False})
            else:
                self.letters.append(letter)
                self.attributes.append(entry["MessageAttributes"])
        return {"Failed": refused}

    def change_message_visibility_batch(self, *, QueueUrl: str, Entries: list[dict[str, Any]]) -> dict[str, Any]:
        assert QueueUrl == "https://queues/readings"
        assert len(Entries) <= 10
        self.pauses.update({entry["ReceiptHandle"]: entry["VisibilityTimeout"] for entry in Entries})
        return {}

    @property
    def reasons(self) -> list[str]:
        return [letter["reason"] for letter in self.letters]


class FakeFirehose:
    """A stream that keeps records. No buffering, no S3, no encryption. `refuses` fails single records."""

    def __init__(self) -> None:
        self.lines: list[dict[str, Any]] = []
        self.calls: list[int] = []
        self.refuses: Callable[[dict[str, Any]], bool] = lambda line: False

    def put_record_batch(self, *, DeliveryStreamName: str, Records: list[dict[str, bytes]]) -> dict[str, Any]:
        assert DeliveryStreamName == "predictions"
        assert len(Records) <= 500
        self.calls.append(len(Records))
        answers: list[dict[str, Any]] = []
        for record in Records:
            assert record["Data"].endswith(b"\n")
            line = json.loads(record["Data"])
            if self.refuses(line):
                answers.append({"ErrorCode": "ServiceUnavailableException", "ErrorMessage": "slow down"})
            else:
                self.lines.append(line)
                answers.append({"RecordId": str(len(self.lines))})
        return {"FailedPutCount": sum("ErrorCode" in answer for answer in answers), "RequestResponses": answers}


class FakeAction:
    """SNS, IoT data, Step Functions and Lambda at once: keeps every call. Delivers nothing, checks no ARN."""

    def __init__(self) -> None:
        self.calls: list[dict[str, Any]] = []
        self.failures: list[Exception | None] = []
        self.names: set[str] = set()

    def _take(self, **call: Any) -> dict[str, Any]:
        failure = self.failures.pop(0) if self.failures else None
        if failure is not None:
            raise failure
        self.calls.append(call)
        return {}

    publish = invoke = _take

    def start_execution(self, **call: Any) -> dict[str, Any]:
        if call["name"] in self.names:
            raise aws_error("ExecutionAlreadyExists")
        answer = self._take(**call)
        self.names.add(call["name"])
        return answer


class FakeClients(Clients):
    """All clients of the scorer as fakes."""

    endpoint: FakeEndpoint
    ledger: FakeLedgerTable
    queue: FakeQueue
    log: FakeFirehose
    notify: FakeAction
    command: FakeAction
    state_machine: FakeAction
    function: FakeAction

    def __init__(self) -> None:
        super().__init__()
        self.endpoint, self.ledger, self.queue, self.log = (
            FakeEndpoint(), FakeLedgerTable(), FakeQueue(), FakeFirehose(),
        )  # fmt: skip
        self.notify, self.command, self.state_machine, self.function = (FakeAction() for _ in range(4))

    def state(self) -> str:
        """Return everything that a run can change outside, to compare before and after."""
        actions = [fake.calls for fake in (self.notify, self.command, self.state_machine, self.function)]
        return repr((self.log.lines, self.queue.letters, self.ledger.items, actions))
