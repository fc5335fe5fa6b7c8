"""AbTest on a laptop cloud that enforces IAM: assign, report twice, decide, announce, start what follows."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as sfn

from cdk_ml_lens import AbPolicy, AbTest, AbVariants, BusinessMetric, ModelEndpoint
from cdk_ml_lens.local import LaptopCloud
from ml_lens_runtime.ab_journal import Enrolment, Inference, Journal
from ml_lens_runtime.ab_plan import Setup
from ml_lens_runtime.ab_state import StateStore
from ml_lens_runtime.assignment import is_treated, point, user_key

pytestmark = pytest.mark.laptop_cloud
USERS = 400  # of the past, in one cohort


@pytest.fixture(scope="module")
def outputs(guarded: LaptopCloud, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("assembly")
    app = cdk.App(outdir=str(folder))
    stack = cdk.Stack(app, "Testing")
    definition = sfn.DefinitionBody.from_string(
        json.dumps({"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}})
    )
    shift = sfn.StateMachine(stack, "Shift", definition_body=definition)
    test = AbTest(
        stack,
        "Test",
        endpoint=ModelEndpoint.from_endpoint_name(stack, "shop"),
        variants=AbVariants(control="blue", treatment="green"),
        metric=BusinessMetric.conversion(window_hours=1 / 60),
        policy=AbPolicy.fixed_split(effect=0.2, max_users=1_000, min_users=100, evaluate_minutes=1440),
        shift=shift,
    )
    heard = sqs.Queue(stack, "Inbox")
    test.on_decision("Decision", targets.SqsQueue(heard))
    values = {
        "Assigner": test.assigner.function.function_name,
        "Evaluator": test.evaluator.function.function_name,
        "Table": test.store.table.table_name,
        "Queue": test.store.queue.queue_url,
        "Dead": test.store.dead_letters.queue_url,
        "Machine": shift.state_machine_arn,
        "Heard": heard.queue_url,
    }
    for name, value in values.items():
        cdk.CfnOutput(stack, f"Out{name}", value=value)
    app.synth()
    found = guarded.deploy(Path(folder), "Testing").outputs
    return {name.removeprefix("Out"): value for name, value in found.items()}


def invoke(cloud: LaptopCloud, function: str, event: dict[str, Any]) -> dict[str, Any]:
    answer = cloud.client("lambda").invoke(FunctionName=function, Payload=json.dumps(event).encode())
    body: dict[str, Any] = json.loads(answer["Payload"].read())
    assert "FunctionError" not in answer, body
    return body


def setup_of(cloud: LaptopCloud, outputs: dict[str, str]) -> Setup:
    found = cloud.client("lambda").get_function_configuration(FunctionName=outputs["Evaluator"])
    return Setup.parse(found["Environment"]["Variables"])


def states(cloud: LaptopCloud, outputs: dict[str, str]) -> Counter[str]:
    items = cloud.client("dynamodb").scan(TableName=outputs["Table"])["Items"]
    return Counter(item["outcome_state"]["S"] for item in items if "outcome_state" in item)


def write_past(cloud: LaptopCloud, outputs: dict[str, str]) -> None:
    """Write a test whose users came ten minutes ago and of whom the treated converted more often."""
    setup, client, then = setup_of(cloud, outputs), cloud.client("dynamodb"), time.time() - 600
    plan = setup.plan
    client.delete_item(TableName=outputs["Table"], Key={"id": {"S": "test"}})
    StateStore(table=outputs["Table"], client=client).load(plan, then)
    journal = Journal(plan=plan, table=outputs["Table"], client=client)
    for number in range(USERS):
        user = user_key(plan.test, f"past-{number}")
        treated = is_treated(point(user), treatment=0.5)
        journal.enrol(Enrolment(user=user, treated=treated, enrolled_at=then))
        if number % (2 if treated else 10) == 0:
            inference = Inference(id=f"past-{number}", user=user, treated=treated, enrolled_at=then)
            journal.count(journal.open(inference, now=then), 1.0)


def test_a_user_is_assigned_and_their_outcome_counts_once_though_all_is_sent_twice(
    guarded: LaptopCloud, outputs: dict[str, str], until: Callable[..., Any]
) -> None:
    answers = [invoke(guarded, outputs["Assigner"], {"user_id": "ann"}) for _ in range(3)]
    assert len({answer["target_variant"] for answer in answers}) == 1
    queue = guarded.client("sqs")
    bodies = [{"inference_id": answers[0]["inference_id"], "value": 1}, {"inference_id": "nobody", "value": 1}]
    for body in bodies * 2:
        queue.send_message(QueueUrl=outputs["Queue"], MessageBody=json.dumps(body))
    until(lambda: states(guarded, outputs) == {"counted": 1}, seconds=60)
    (letter,) = until(lambda: queue.receive_message(QueueUrl=outputs["Dead"]).get("Messages"), seconds=60)
    assert json.loads(letter["Body"])["reason"] == "unknown_inference"


def test_an_evaluation_decides_tells_and_starts_the_shift_once(
    guarded: LaptopCloud, outputs: dict[str, str], until: Callable[..., Any]
) -> None:
    write_past(guarded, outputs)
    for _ in range(2):
        answer = invoke(guarded, outputs["Evaluator"], {})
        assert sum(answer["users"].values()) >= USERS
        assert answer["verdict"]["winner"] == "green"
    queue = guarded.client("sqs")
    (message,) = until(lambda: queue.receive_message(QueueUrl=outputs["Heard"]).get("Messages"), seconds=30)
    assert json.loads(message["Body"])["detail"]["winner"] == "green"
    machines = guarded.client("stepfunctions")
    (execution,) = machines.list_executions(stateMachineArn=outputs["Machine"])["executions"]
    given = json.loads(machines.describe_execution(executionArn=execution["executionArn"])["input"])
    assert given["winner"] == "green"
    assert "Messages" not in queue.receive_message(QueueUrl=outputs["Heard"])
