"""What follows an anomaly: an e-mail, a command to the device, a state machine, a function."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_stepfunctions as sfn

from cdk_ml_lens import (
    CommandDevice,
    DeviceFleet,
    Feature,
    Invoke,
    ModelEndpoint,
    NotifyTopic,
    PredictionLog,
    ReadingAction,
    RuleSql,
    Scoring,
    ScoringRule,
    harden,
)
from cdk_ml_lens.core.nag import acknowledge


def build(app: cdk.App) -> cdk.Stack:
    """Build the stack."""
    stack = cdk.Stack(app, "Actions")
    fleet = DeviceFleet(stack, "Fleet")
    arn = stack.format_arn(
        service="states",
        resource="stateMachine",
        resource_name="open-work-order",
        arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
    )
    # region: actions
    actions: list[ReadingAction] = [
        NotifyTopic(stack, "Alerts", emails=["operations@example.com"]),
        CommandDevice(fleet=fleet),
        Invoke.state_machine(sfn.StateMachine.from_state_machine_arn(stack, "WorkOrder", arn)),
        Invoke.lambda_function(lambda_.Function.from_function_name(stack, "Dim", "dim-the-lights"), name="dim"),
    ]
    # endregion
    ScoringRule(
        stack,
        "Rule",
        sql=RuleSql(topic_filter=fleet.telemetry_topic_filter, device_level=fleet.device_level),
        scoring=Scoring(
            endpoint=ModelEndpoint.from_endpoint_name(stack, "turbine-anomalies"),
            features=[Feature(name="temperature")],
        ),
        actions=actions,
        log=PredictionLog(stack, "Log"),
    )
    harden(stack, alarm_topic=NotifyTopic(stack, "Told").topic)
    acknowledge(
        stack,
        "IOT4",
        "No list of serial numbers here; device_fleet.py passes pre_provisioning_hook=, which looks them up.",
        pack="MlLens",
    )
    return stack


if __name__ == "__main__":
    main = cdk.App()
    build(main)
    main.synth()
