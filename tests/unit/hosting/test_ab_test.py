"""AbTest: encrypted records, least privilege, a schedule, what the handlers get, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_stepfunctions as sfn

from cdk_ml_lens import (
    AbPolicy,
    AbTest,
    AbVariants,
    AlarmRule,
    BusinessMetric,
    ModelEndpoint,
    ShiftPlan,
    TrafficShift,
)
from cdk_ml_lens.hosting import ab_test, ab_test_rules, ab_test_store
from handlers import evaluate_test
from ml_lens_runtime import ab_cohorts, ab_judge, ab_metrics, outcomes
from ml_lens_runtime.ab_plan import Plan, Setup
from tests.unit.templates import Template

Synth = Callable[[cdk.Stack], Template]
FIXED = AbPolicy.fixed_split(effect=0.02, max_users=20_000)
VARIANTS = AbVariants(control="blue", treatment="green")


def make(stack: cdk.Stack, **props: Any) -> AbTest:
    given: dict[str, Any] = {
        "endpoint": ModelEndpoint.from_endpoint_name(stack, "shop"),
        "variants": VARIANTS,
        "metric": BusinessMetric.conversion(),
        "policy": FIXED,
    }
    return AbTest(stack, "Test", **given | props)


def variables(template: Template, handler: str) -> dict[str, str]:
    """Return the variables of a handler, tokens replaced by a word."""
    (found,) = [
        res["Properties"]["Environment"]["Variables"]
        for res in template.of_type("AWS::Lambda::Function").values()
        if res["Properties"]["Handler"] == f"handlers.{handler}.handler"
    ]
    return {name: value if isinstance(value, str) else "token" for name, value in found.items()}


def test_minimal_keeps_encrypted_restorable_records_that_expire(stack: cdk.Stack, synth: Synth) -> None:
    make(stack)
    template = synth(stack)
    ((_, resource),) = template.of_type("AWS::DynamoDB::Table").items()
    table = resource["Properties"]
    assert table["SSESpecification"]["SSEType"] == "KMS"
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert table["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}
    assert resource["DeletionPolicy"] == "Retain"
    queues = template.of_type("AWS::SQS::Queue").values()
    assert all(queue["Properties"]["KmsMasterKeyId"] for queue in queues)
    assert template.of_type("AWS::StepFunctions::StateMachine") == {}


def test_index_projects_what_a_users_value_is_made_of(stack: cdk.Stack, synth: Synth) -> None:
    make(stack)
    (index,) = synth(stack).only("AWS::DynamoDB::Table")["GlobalSecondaryIndexes"]
    assert index["IndexName"] == ab_cohorts.COHORT_INDEX
    item = {name: {"N": "1"} for name in index["Projection"]["NonKeyAttributes"] if name != "treated"}
    assert "treated" in index["Projection"]["NonKeyAttributes"]
    assert ab_cohorts.user_value(item, metric="average") == 1.0
    assert ab_cohorts.user_value(item, metric="conversion") == 1.0


POLICIES = {"fixed": FIXED, "thompson": AbPolicy.thompson(effect=0.01, max_users=50_000)}


@pytest.mark.parametrize("policy", POLICIES)
def test_each_handler_understands_what_the_construct_sets(policy: str, stack: cdk.Stack, synth: Synth) -> None:
    machine = sfn.StateMachine.from_state_machine_arn(
        stack, "Shift", "arn:aws:states:eu-west-1:111122223333:stateMachine:s"
    )
    test = make(stack, policy=POLICIES[policy], shift=machine)
    template = synth(stack)
    setups = {
        name: Setup.parse(variables(template, name)) for name in ("assign_variant", "record_outcome", "evaluate_test")
    }
    assert len({setup.plan for setup in setups.values()}) == 1
    assert setups["record_outcome"].dead_letter_queue_url == "token"
    assert setups["evaluate_test"].shift_arn.endswith("stateMachine:s")
    plan = setups["assign_variant"].plan
    assert (plan.test, plan.policy, plan.control, plan.treatment) == (test.test_name, policy, "blue", "green")
    assert (plan.window_seconds, plan.cohort_seconds, plan.grace_seconds) == (86_400, 3600, 900)


def test_plan_and_handlers_agree_on_every_name() -> None:
    rendered = set(ab_test_rules.plan("t", VARIANTS, BusinessMetric.conversion(), FIXED))
    assert rendered == {field.name for field in fields(Plan)}
    assert (ab_test.SOURCE, ab_test.DECIDED) == (evaluate_test.SOURCE, ab_judge.DECIDED)
    assert ab_judge.SHARES_CHANGED == ab_test.WEIGHTS_CHANGED
    assert ab_test._NAMESPACE == ab_metrics.NAMESPACE
    assert ab_test_store.COHORT_INDEX == ab_cohorts.COHORT_INDEX
    assert outcomes.SETTLE_SECONDS > ab_test_store.RECORD_SECONDS


def test_queue_batches_and_hands_back_only_what_failed(stack: cdk.Stack, synth: Synth) -> None:
    make(stack)
    template = synth(stack)
    mapping = template.only("AWS::Lambda::EventSourceMapping")
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    (queue,) = [
        q["Properties"] for q in template.of_type("AWS::SQS::Queue").values() if "RedrivePolicy" in q["Properties"]
    ]
    assert queue["VisibilityTimeout"] >= 6 * ab_test_store.RECORD_SECONDS


@pytest.mark.parametrize(("minutes", "rate"), [(1, "rate(1 minute)"), (60, "rate(60 minutes)")])
def test_schedule_evaluates_with_a_role_that_may_do_only_that(
    minutes: int, rate: str, stack: cdk.Stack, synth: Synth
) -> None:
    make(stack, policy=AbPolicy.fixed_split(effect=0.02, max_users=9_000, evaluate_minutes=minutes))
    template = synth(stack)
    ((schedule_id, resource),) = template.of_type("AWS::Scheduler::Schedule").items()
    assert resource["Properties"]["ScheduleExpression"] == rate
    assert "Arn" in resource["Properties"]["Target"]["DeadLetterConfig"]
    assert any("ScheduleRoleDefaultPolicy" in id for id in template.depends_on(schedule_id))
    wanted = {"lambda:InvokeFunction", "sqs:SendMessage", "kms:GenerateDataKey", "kms:Decrypt"}
    assert template.actions("ScheduleRole") == wanted


TABLE_KEY = {"kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey"}
ALWAYS = {"logs:CreateLogStream", "logs:PutLogEvents", "xray:PutTraceSegments", "xray:PutTelemetryRecords"}


def test_each_role_may_do_what_its_handler_calls_and_no_more(stack: cdk.Stack, synth: Synth) -> None:
    make(stack)
    template = synth(stack)
    common = ALWAYS | TABLE_KEY | {"dynamodb:GetItem", "dynamodb:PutItem"}
    consume = {"ReceiveMessage", "DeleteMessage", "GetQueueAttributes", "SendMessage"}
    assert template.actions("Assigner") == common
    assert template.actions("Recorder") == common | {"dynamodb:UpdateItem"} | {f"sqs:{action}" for action in consume}
    assert template.actions("Evaluator") == common | {"dynamodb:Query", "events:PutEvents"}


def test_only_xray_uses_a_star_resource(stack: cdk.Stack, synth: Synth) -> None:
    make(stack)
    starred = [statement["Action"] for statement in synth(stack).statements() if statement["Resource"] == "*"]
    assert starred == [["xray:PutTraceSegments", "xray:PutTelemetryRecords"]] * 3


def test_full_starts_the_shift_tells_targets_and_grants_callers(stack: cdk.Stack, synth: Synth) -> None:
    endpoint = ModelEndpoint.from_endpoint_name(stack, "shop")
    shift = TrafficShift(stack, "Shift", endpoint=endpoint, plan=ShiftPlan.canary())
    topic = sns.Topic(stack, "Ops")
    test = make(
        stack,
        endpoint=endpoint,
        metric=BusinessMetric.mean(per_user="average", maximum=5.0, minimum=1.0, window_hours=2),
        shift=shift,
        encryption_key=kms.Key(stack, "Mine"),
        alarm_topic=topic,
    )
    caller = iam.Role(stack, "Caller", assumed_by=iam.ServicePrincipal("ecs-tasks.amazonaws.com"))
    test.grant_assign(caller)
    test.grant_report(caller)
    test.grant_record(caller)
    machine = sfn.StateMachine.from_state_machine_name(stack, "Report", "report")
    test.on_decision("Decided", targets.SfnStateMachine(machine))
    test.on_weights_changed("Moved", targets.SfnStateMachine(machine))
    test.alarm("LateAlarm", AlarmRule(metric="OutcomesLate", threshold=100))
    template = synth(stack)
    assert "states:StartExecution" in template.actions("Evaluator")
    assert template.actions("Caller") == {
        "lambda:InvokeFunction",
        "sqs:SendMessage",
        "kms:Decrypt",
        "kms:GenerateDataKey",
    }
    patterns = [
        rule["Properties"]["EventPattern"]
        for rule in template.of_type("AWS::Events::Rule").values()
        if rule["Properties"]["EventPattern"]["source"] == [ab_test.SOURCE]
    ]
    assert sorted(pattern["detail-type"][0] for pattern in patterns) == ["AB Test Decided", "AB Test Weights Changed"]
    assert all(pattern["detail"] == {"test": [test.test_name]} for pattern in patterns)
    alarms = [a["Properties"] for id, a in template.of_type("AWS::CloudWatch::Alarm").items() if id.startswith("Test")]
    assert all(alarm["AlarmActions"] for alarm in alarms)
    names = [alarm["MetricName"] for alarm in alarms]
    assert names.count("Errors") == 3
    assert {"ApproximateNumberOfMessagesVisible", "ApproximateAgeOfOldestMessage", "OutcomesLate"} <= set(names)


@pytest.mark.parametrize("policy", POLICIES)
def test_nag_is_clean(policy: str, stack: cdk.Stack, nag: Callable[[cdk.Stack], list[str]]) -> None:
    make(stack, policy=POLICIES[policy])
    assert nag(stack) == []
