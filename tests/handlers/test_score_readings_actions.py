"""Anomalies reach every action, each device only its own topic."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ml_lens_runtime import actions
from ml_lens_runtime.errors import ConfigurationError
from tests.handlers.fakes import FakeClients, aws_error
from tests.handlers.support import (
    COMMAND,
    FUNCTION,
    MACHINE,
    NOTIFY,
    Scorer,
    reading,
    rule_output,
    sqs_event,
    sqs_record,
)

HOT = reading(1, temperature=50.0)
ALL = (NOTIFY, COMMAND, MACHINE, FUNCTION)


def test_a_normal_reading_causes_no_action(aws: FakeClients, scorer: Scorer) -> None:
    scorer(sqs_event([reading(0)]), actions=ALL)

    assert [aws.notify.calls, aws.command.calls, aws.state_machine.calls, aws.function.calls] == [[], [], [], []]


def test_an_anomaly_reaches_every_action_with_the_same_alert(aws: FakeClients, scorer: Scorer) -> None:
    scorer(sqs_event([reading(0), HOT]), actions=ALL)

    (notice,), (command,) = aws.notify.calls, aws.command.calls
    (execution,), (call,) = aws.state_machine.calls, aws.function.calls
    assert notice["TopicArn"] == NOTIFY.target
    assert notice["Subject"] == "Anomaly: turbine-1"
    assert notice["MessageAttributes"] == {"device_id": {"DataType": "String", "StringValue": "turbine-1"}}
    assert (command["topic"], command["qos"]) == ("devices/turbine-1/commands", 1)
    assert execution["stateMachineArn"] == MACHINE.target
    assert (call["FunctionName"], call["InvocationType"]) == (FUNCTION.target, "Event")
    bodies = [notice["Message"], command["payload"], execution["input"], call["Payload"]]
    alert = json.loads(bodies[0])
    assert all(json.loads(body) == alert for body in bodies)
    assert (alert["type"], alert["alert_id"]) == ("anomaly", "turbine-1#r1")
    assert {name: alert[name] for name in aws.log.lines[1]} == aws.log.lines[1]
    assert scorer.count("Anomalies") == 1


def test_each_device_is_commanded_on_its_own_topic(aws: FakeClients, scorer: Scorer) -> None:
    bodies = [json.dumps(rule_output(HOT, device=device)) for device in ("turbine-1", "turbine-2")]

    scorer({"Records": [sqs_record(body, number=i) for i, body in enumerate(bodies)]})

    for call in aws.command.calls:
        assert call["topic"] == f"devices/{json.loads(call['payload'])['device_id']}/commands"
    assert len({call["topic"] for call in aws.command.calls}) == 2


@pytest.mark.parametrize("device", ["", "+", "#", "a/b", "a b", "x" * 129, "a\n", "é"])
def test_a_device_id_cannot_inject_topic_levels(device: str) -> None:
    with pytest.raises(ConfigurationError):
        actions.command_topic("devices/{device_id}/commands", device)


@pytest.mark.parametrize("failing", ["notify", "command", "state_machine", "function"])
def test_one_failing_action_does_not_stop_the_others(aws: FakeClients, scorer: Scorer, failing: str) -> None:
    fakes: dict[str, Any] = {kind: getattr(aws, kind) for kind in ("notify", "command", "state_machine", "function")}
    fakes[failing].failures = [aws_error("AccessDeniedException")]

    assert scorer(sqs_event([HOT]), actions=ALL) == ["m0"]

    assert {kind: len(fake.calls) for kind, fake in fakes.items()} == {kind: int(kind != failing) for kind in fakes}
    assert scorer(sqs_event([HOT]), actions=ALL) == []
    assert [len(fake.calls) for fake in fakes.values()] == [1, 1, 1, 1]


def test_an_execution_that_exists_already_is_success(aws: FakeClients, scorer: Scorer) -> None:
    scorer(sqs_event([HOT]), actions=(MACHINE,))
    aws.ledger.items.clear()

    assert scorer(sqs_event([HOT]), actions=(MACHINE,)) == []

    assert len(aws.state_machine.calls) == 1
    assert len(aws.state_machine.calls[0]["name"]) <= 80


def test_an_alert_too_large_for_a_message_leaves_the_reading_to_the_log(aws: FakeClients, scorer: Scorer) -> None:
    scorer(sqs_event([{**HOT, "note": "\u00e9" * 20_000}]), max_reading_bytes=131_072)

    alert = json.loads(aws.command.calls[0]["payload"])
    assert (alert["reading"], alert["reading_omitted"]) == (None, True)
    assert len(aws.log.lines[0]["reading"]["note"]) == 20_000


def test_actions_that_find_no_time_are_left_to_the_next_delivery(aws: FakeClients, scorer: Scorer) -> None:
    scorer.left = 5.0
    assert scorer(sqs_event([HOT, reading(2)])) == ["m0"]
    assert (aws.notify.calls, len(aws.log.lines)) == ([], 2)

    scorer.left = 60.0
    assert scorer(sqs_event([HOT, reading(2)])) == []
    assert (len(aws.notify.calls), len(aws.log.lines)) == (1, 2)


def test_without_a_prediction_stream_nothing_is_logged_and_actions_still_happen(
    aws: FakeClients, scorer: Scorer
) -> None:
    assert scorer(sqs_event([HOT]), prediction_stream=None) == []

    assert aws.log.lines == []
    assert len(aws.notify.calls) == 1
