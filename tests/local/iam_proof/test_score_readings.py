"""The scorer: with every kind of action, from a queue, from a stream, and with the windows of its devices."""

from __future__ import annotations

import base64
import itertools
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from cdk_ml_lens.local import LaptopCloud
from tests.local.iam_proof.conftest import Proven, Stage
from tests.local.iam_proof.harness import Proof
from tests.local.iam_proof.support import arrived, invoked, logging, physical, polled, started_anew
from tests.local.support import inline_function, role, write_assembly

pytestmark = pytest.mark.laptop_cloud
IDS = itertools.count()
ANOMALY, BROKEN = 2000.0, 500.0  # of FakeModelServer: above its threshold; an error of the model
ENHANCED, PARAMETERS = "plant-lake-enhanced", "_artifacts/normalisation/0b1d2c3e4f5a6978.json"


@pytest.fixture(scope="module")
def surroundings(guarded: LaptopCloud, tmp_path_factory: pytest.TempPathFactory) -> None:
    """What the examples find in the account beside the endpoint: a machine, a function, normalisation parameters."""
    s3 = guarded.client("s3")
    s3.create_bucket(Bucket=ENHANCED)
    scales = {"temperature": [0.0, 1.0], "vibration": [0.0, 1.0]}
    parameters = {"version": "0b1d", "method": "standard", "all": scales, "devices": {}}
    s3.put_object(Bucket=ENHANCED, Key=PARAMETERS, Body=json.dumps(parameters).encode())
    done = json.dumps({"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}})
    machine = {"StateMachineName": "open-work-order", "DefinitionString": done}
    resources = {
        "Own": role("states.amazonaws.com"),
        "WorkOrder": {
            "Type": "AWS::StepFunctions::StateMachine",
            "Properties": {**machine, "RoleArn": {"Fn::GetAtt": ["Own", "Arn"]}},
        },
        "LambdaRole": role(),
        "Dim": inline_function(
            "def handler(event, context):\n    pass", role="LambdaRole", FunctionName="dim-the-lights"
        ),
    }
    template = {"Resources": resources}
    guarded.deploy(write_assembly(tmp_path_factory.mktemp("around"), "Around", template), "Around")


def record(device: str, **values: Any) -> str:
    """Return what a scoring rule writes for one reading."""
    reading = {"reading_id": f"r-{next(IDS)}", "timestamp": datetime.now(UTC).isoformat(), **values}
    payload = base64.b64encode(json.dumps(reading).encode()).decode()
    received = int(time.time() * 1000)
    return json.dumps({"payload": payload, "device_id": device, "received_at": received, "trace_id": device})


def scored(cloud: LaptopCloud, function: str, event: dict[str, Any], *, failures: int) -> None:
    """Let a function score a batch, of which ``failures`` messages come back."""
    answer = invoked(cloud, function, event)
    assert len(answer["batchItemFailures"]) == failures, answer


def queued(*bodies: str) -> dict[str, Any]:
    """Return the event of an SQS batch; its receipts are nobody's."""
    sent = str(int(time.time() * 1000))
    attributes = {"ApproximateReceiveCount": "1", "SentTimestamp": sent}
    common = {"eventSource": "aws:sqs", "attributes": attributes}
    made = {f"m-{next(IDS)}": body for body in bodies}
    return {"Records": [{**common, "messageId": id, "receiptHandle": id, "body": made[id]} for id in made]}


@pytest.mark.usefixtures("endpoint", "surroundings")
def test_every_action_of_a_queued_rule_is_needed(guarded: LaptopCloud, stage: Stage, proven: Proven) -> None:
    stage("examples/actions.py")
    function = physical(guarded, "Actions", "RuleScorerHandlerFunction")
    queue, dead = (physical(guarded, "Actions", name) for name in ("RuleQueue", "RuleDeadLettersQueue"))

    def work() -> None:
        scored(guarded, function, queued(record("unit-1", temperature=ANOMALY), "poison"), failures=0)

    def delay() -> None:
        scored(guarded, function, queued(record("unit-1", temperature=BROKEN)), failures=1)

    def send() -> Callable[[], bool]:
        device = f"unit-{next(IDS)}"
        body = record(device, temperature="poison")
        guarded.client("sqs").send_message(QueueUrl=queue, MessageBody=body)
        return lambda: arrived(guarded, dead, device)

    mapping = polled(guarded, function, send)
    reading = {f"sqs:{action}": mapping for action in ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes")}
    works = {"sqs:ChangeMessageVisibility": delay, **reading, **logging(guarded, function, queued("poison"))}
    proven(Proof(role="RuleScorerHandlerRole", setting="examples/actions.py", stack="Actions", work=work, works=works))


@pytest.mark.usefixtures("endpoint", "surroundings")
def test_every_right_to_a_stream_and_to_windows_is_needed(guarded: LaptopCloud, stage: Stage, proven: Proven) -> None:
    setting, stack = "examples/window_features.py", "WindowFeatures"
    stage(setting)
    function = physical(guarded, stack, "TurbinesScorerHandlerFunction")
    stream, dead = (physical(guarded, stack, name) for name in ("TurbinesStream", "TurbinesDeadLettersQueue"))

    def work() -> None:
        device = f"unit-{next(IDS)}"
        scored(guarded, function, queued(record(device, temperature=20.0, vibration=1.0), "poison"), failures=0)

    def first() -> None:
        started_anew(guarded, function)  # or the parameters are cached ones
        work()

    def send() -> Callable[[], bool]:
        device = f"unit-{next(IDS)}"
        data = record(device, temperature="poison").encode()
        guarded.client("kinesis").put_record(StreamName=stream, PartitionKey=device, Data=data)
        return lambda: arrived(guarded, dead, device)

    mapping = polled(guarded, function, send)
    verbs = ("DescribeStream", "DescribeStreamSummary", "ListShards", "GetShardIterator", "GetRecords")
    reading = {f"kinesis:{verb}": mapping for verb in verbs}
    works = {"s3:GetObject": first, **reading, **logging(guarded, function, queued("poison"))}
    proven(Proof(role="TurbinesScorerHandlerRole", setting=setting, stack=stack, work=work, works=works))
