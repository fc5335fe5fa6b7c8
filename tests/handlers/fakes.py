"""In-memory stand-ins for the AWS clients of the scorer; each says what it does not do."""

# ruff: noqa: N803 (the argument names are boto3's)

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from ml_lens_runtime.clients import Clients
from tests.handlers.fake_services import FakeEndpoint, FakeLedgerTable, Row, aws_error, distance_lines, model_error

__all__ = ["FakeClients", "FakeEndpoint", "Row", "aws_error", "distance_lines", "model_error"]


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
