"""Settings, events and a run for the handler tests."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from handlers.score_readings import run
from ml_lens_runtime.clients import Clients
from ml_lens_runtime.env import Action, Feature, Settings
from ml_lens_runtime.invocation import Invocation
from ml_lens_runtime.metrics import Meter

NOW = 1_800_000_000.0
NOTIFY = Action(name="tell", kind="notify", target="arn:aws:sns:us-east-1:123456789012:alerts")
COMMAND = Action(name="stop", kind="command", target="devices/{device_id}/commands")
MACHINE = Action(
    name="inspect", kind="state_machine", target="arn:aws:states:us-east-1:123456789012:stateMachine:inspect"
)
FUNCTION = Action(name="ticket", kind="function", target="arn:aws:lambda:us-east-1:123456789012:function:ticket")
SETTINGS = Settings(
    endpoint_name="turbines",
    features=(Feature(name="temperature"), Feature(name="pressure", minimum=0.0, maximum=500.0)),
    content_type="application/jsonlines",
    actions=(NOTIFY, COMMAND),
    dead_letter_queue_url="https://queues/dead-letters",
    ledger_table="ledger",
    ledger_hours=24,
    max_attempts=5,
    max_reading_bytes=4096,
    rule_name="telemetry",
    source_queue_url="https://queues/readings",
    prediction_stream="predictions",
)


def reading(number: int = 0, *, temperature: Any = 20.0, pressure: Any = 100.0, **more: Any) -> dict[str, Any]:
    return {"reading_id": f"r{number}", "temperature": temperature, "pressure": pressure, **more}


def readings(count: int) -> list[dict[str, Any]]:
    return [reading(i, temperature=20.0 + i / 10) for i in range(count)]


def payload(value: Any) -> bytes:
    return value if isinstance(value, bytes) else json.dumps(value).encode()


def rule_output(value: Any, *, device: Any = "turbine-1", trace: str = "trace") -> dict[str, Any]:
    encoded = base64.b64encode(payload(value)).decode()
    return {"payload": encoded, "device_id": device, "received_at": 1_799_999_999_000, "trace_id": trace}


def sqs_record(body: str, *, number: int = 0, attempts: int = 1) -> dict[str, Any]:
    return {
        "eventSource": "aws:sqs",
        "messageId": f"m{number}",
        "receiptHandle": f"h{number}",
        "body": body,
        "attributes": {"ApproximateReceiveCount": str(attempts), "SentTimestamp": "1799999999500"},
    }


def sqs_event(values: Iterable[Any], *, attempts: int = 1) -> dict[str, Any]:
    bodies = [json.dumps(rule_output(value, trace=f"t{i}")) for i, value in enumerate(values)]
    return {"Records": [sqs_record(body, number=i, attempts=attempts) for i, body in enumerate(bodies)]}


def kinesis_event(values: Iterable[Any], *, first: int = 100) -> dict[str, Any]:
    bodies = [json.dumps(rule_output(value, trace=f"t{i}")).encode() for i, value in enumerate(values)]
    return {
        "Records": [
            {
                "eventSource": "aws:kinesis",
                "eventID": f"shardId-0:{first + i}",
                "kinesis": {
                    "sequenceNumber": str(first + i),
                    "partitionKey": "turbine-1",
                    "approximateArrivalTimestamp": 1_799_999_999.5,
                    "data": base64.b64encode(body).decode(),
                },
            }
            for i, body in enumerate(bodies)
        ]
    }


@dataclass
class Scorer:
    """Runs the scorer on given clients with a clock that only moves when told."""

    clients: Clients
    settings: Settings = SETTINGS
    now: float = NOW
    left: float = 60.0
    meter: Meter | None = None

    def __call__(self, event: Any, **changes: Any) -> list[str]:
        """Run and return the ids that are handed back."""
        self.meter = Meter()
        invocation = Invocation(
            request_id="request-1",
            now=lambda: self.now,
            time_left=lambda: self.left,
            sleep=lambda seconds: None,
            meter=self.meter,
        )
        env = replace(self.settings, **changes)
        answer = run(env=env, event=event, clients=self.clients, invocation=invocation)
        return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]

    def count(self, name: str) -> int:
        assert self.meter is not None
        return self.meter.counts[name]
