"""Two A/B tests on one endpoint each: a fixed split with a traffic shift after it, and Thompson sampling."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_stepfunctions as sfn

from cdk_ml_lens import (
    AbPolicy,
    AbTest,
    AbVariants,
    BusinessMetric,
    ModelEndpoint,
    NotifyTopic,
    ShiftPlan,
    TrafficShift,
    explain,
    harden,
    users_for_conversion,
)


def build(app: cdk.App) -> cdk.Stack:
    """Build the stack."""
    stack = cdk.Stack(app, "AbTest")
    alarms = NotifyTopic(stack, "Alarms")
    endpoint = ModelEndpoint.from_endpoint_name(stack, "recommendations")
    # region: fixed
    test = AbTest(
        stack,
        "Checkout",
        endpoint=endpoint,
        variants=AbVariants(control="current", treatment="candidate"),
        metric=BusinessMetric.conversion(window_hours=24),
        policy=AbPolicy.fixed_split(effect=0.02, max_users=users_for_conversion(baseline=0.04, effect=0.02)),
        shift=TrafficShift(stack, "Shift", endpoint=endpoint, plan=ShiftPlan.linear(step_percent=20, bake_minutes=15)),
        alarm_topic=alarms.topic,
    )
    # endregion
    reporter = iam.Role(stack, "Reporter", assumed_by=iam.ServicePrincipal("events.amazonaws.com"))
    explain(reporter, {"IAMNoInlinePolicy": "The policy lets this role start the report, and goes with the role."})
    # region: use
    shop = iam.Role(stack, "Client", assumed_by=iam.ServicePrincipal("ecs-tasks.amazonaws.com"))
    test.grant_assign(shop)
    endpoint.grant_invoke(shop)
    test.grant_report(shop)
    machine = sfn.StateMachine.from_state_machine_name(stack, "Report", "write-the-report")
    test.on_decision("Tell", targets.SfnStateMachine(machine, role=reporter))
    # endregion
    # region: thompson
    AbTest(
        stack,
        "Banner",
        endpoint=ModelEndpoint.from_endpoint_name(stack, "banners"),
        variants=AbVariants(control="plain", treatment="personal"),
        metric=BusinessMetric.conversion(window_hours=2),
        policy=AbPolicy.thompson(effect=0.01, max_users=200_000, warm_up_users=2000, evaluate_minutes=30),
        alarm_topic=alarms.topic,
    )
    # endregion
    cdk.CfnOutput(stack, "AssignerName", value=test.assigner.function.function_name)
    cdk.CfnOutput(stack, "OutcomeQueueUrl", value=test.store.queue.queue_url)
    harden(stack, alarm_topic=alarms.topic)
    return stack


if __name__ == "__main__":
    main = cdk.App()
    build(main)
    main.synth()
