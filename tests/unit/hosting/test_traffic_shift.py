"""TrafficShift: least privilege by the calls it makes, refusals, alarms, events; plans and checks as values."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs

from cdk_ml_lens import (
    AlarmRule,
    AnswerCheck,
    ModelArtifact,
    ModelEndpoint,
    ModelSource,
    PropError,
    ShiftChecks,
    ShiftPlan,
    SyntheticRequest,
    TrafficShift,
    Variant,
    VariantComparison,
)
from cdk_ml_lens.hosting.shift_machine import definition
from tests.unit.hosting import shift_graph as graph
from tests.unit.templates import Template

Synth = Callable[[cdk.Stack], Template]
REQUEST = SyntheticRequest(body={"features": [1, 2]}, expect=AnswerCheck(path="score", minimum=0))
TESTED = ShiftChecks(requests=(REQUEST,))


def make(stack: cdk.Stack, **props: Any) -> TrafficShift:
    endpoint = props.pop("endpoint", None) or ModelEndpoint.from_endpoint_name(stack, "scores")
    return TrafficShift(stack, "Shift", endpoint=endpoint, **{"plan": ShiftPlan.canary(), **props})


def alarm(stack: cdk.Stack, id: str = "Own") -> cloudwatch.Alarm:
    return cloudwatch.Metric(namespace="N", metric_name="M").create_alarm(stack, id, threshold=1, evaluation_periods=1)


def machine_statements(template: Template) -> list[dict[str, Any]]:
    """Return the statements of the machine's role that are not about logs, traces and keys."""
    own = [*template.statements("ShiftMachineRole"), *template.statements("ShiftReading")]
    return [item for item in own if not str(actions_of(item)[0]).startswith(("logs:", "xray:", "kms:"))]


def actions_of(statement: dict[str, Any]) -> list[str]:
    action = statement["Action"]
    return [action] if isinstance(action, str) else list(action)


def allowed(template: Template) -> set[str]:
    return {action for statement in machine_statements(template) for action in actions_of(statement)}


@pytest.mark.parametrize(
    ("plan", "checks", "alarms"),
    [
        (ShiftPlan.canary(), ShiftChecks(), 0),
        (ShiftPlan.blue_green(retire_instances=1), TESTED, 2),
        (ShiftPlan.linear(), ShiftChecks(comparison=None), 1),
    ],
)
def test_the_role_allows_exactly_what_the_definition_calls(
    plan: ShiftPlan, checks: ShiftChecks, alarms: int, stack: cdk.Stack, synth: Synth
) -> None:
    make(stack, plan=plan, checks=checks, alarms=[alarm(stack, f"A{number}") for number in range(alarms)])
    template = synth(stack)
    assert allowed(template) == graph.service_actions(definition(plan, checks, alarm_count=alarms))
    starred = [actions_of(item) for item in machine_statements(template) if item["Resource"] == "*"]
    assert starred == ([["cloudwatch:GetMetricData"]] if checks.comparison is not None else [])


def test_minimal_is_logged_traced_encrypted_and_complete(stack: cdk.Stack, synth: Synth) -> None:
    make(stack)
    template = synth(stack)
    machine = template.only("AWS::StepFunctions::StateMachine")
    assert machine["LoggingConfiguration"]["Level"] == "ALL"
    assert machine["TracingConfiguration"] == {"Enabled": True}
    assert "KmsKeyId" in template.only("AWS::Logs::LogGroup")
    assert template.only("AWS::DynamoDB::Table")["SSESpecification"]["SSEType"] == "KMS"
    wanted = {"Endpoint", "Table"}
    assert set(machine["DefinitionSubstitutions"]) == wanted
    text = json.dumps(machine["DefinitionString"])
    assert all("${" + name + "}" in text for name in wanted)
    assert machine["StateMachineName"] in str(template.statements("ShiftMachineRole"))


def test_policies_exist_before_the_machine_and_the_rule(stack: cdk.Stack, synth: Synth) -> None:
    make(stack, alarms=[alarm(stack)])
    template = synth(stack)
    policies = template.of_type("AWS::IAM::Policy")
    (machine,) = template.of_type("AWS::StepFunctions::StateMachine")
    assert {id for id in policies if "MachineRole" in id or "Reading" in id} <= template.depends_on(machine)
    assert len({id for id in policies if "MachineRole" in id or "Reading" in id}) == 2
    (rule,) = template.of_type("AWS::Events::Rule")
    assert {id for id in policies if "RestoreRole" in id} <= template.depends_on(rule)


def test_full_has_alarms_wired_events_sent_and_a_client_that_may_start_it(stack: cdk.Stack, synth: Synth) -> None:
    key = kms.Key(stack, "Own")
    shift = make(
        stack,
        plan=ShiftPlan.blue_green(),
        checks=TESTED,
        alarms=[alarm(stack, "Rings")],
        encryption_key=key,
        alarm_topic=sns.Topic(stack, "Ops"),
    )
    shift.grant_start(iam.Role(stack, "Client", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com")))
    shift.on_decision("Bad", targets.SqsQueue(sqs.Queue(stack, "Q")), decisions=["stopped", "restored"])
    shift.alarm("Slow", AlarmRule(metric="ExecutionTime", statistic="Maximum", threshold=86_400_000))
    template = synth(stack)
    alarms = [item["Properties"] for item in template.of_type("AWS::CloudWatch::Alarm").values()]
    ours = {item["MetricName"]: item for item in alarms if item.get("Namespace") == "AWS/States"}
    assert set(ours) == {"ExecutionsFailed", "ExecutionsTimedOut", "ExecutionsAborted", "ExecutionTime"}
    assert all(item["AlarmActions"] and item["OKActions"] for item in ours.values())
    assert len(template.of_type("AWS::KMS::Key")) == 1
    assert template.actions("Client") == {"states:StartExecution"}
    patterns = [item["Properties"]["EventPattern"] for item in template.of_type("AWS::Events::Rule").values()]
    assert {
        "source": ["cdk-ml-lens.traffic-shift"],
        "detail-type": ["Traffic shift decision"],
        "detail": {"endpoint": ["scores"], "decision": ["stopped", "restored"]},
    } in patterns


def test_a_lost_execution_is_restored_but_a_lost_restore_starts_no_other(stack: cdk.Stack, synth: Synth) -> None:
    make(stack)
    rule = synth(stack).only("AWS::Events::Rule")
    detail = rule["EventPattern"]["detail"]
    assert detail["$or"] == [{"status": ["TIMED_OUT"]}, {"status": ["FAILED"], "error": [{"prefix": "States."}]}]
    (target,) = rule["Targets"]
    assert json.loads(target["Input"]) == {"restore": True}
    (exclusion,) = detail["input"]
    assert target["Input"].startswith(exclusion["anything-but"]["prefix"])
    assert target["Arn"] == {"Ref": next(iter(detail["stateMachineArn"]))["Ref"]}


def test_composite_alarms_need_the_permission_to_describe_all(stack: cdk.Stack, synth: Synth) -> None:
    own = alarm(stack)
    both = cloudwatch.CompositeAlarm(
        stack, "Both", alarm_rule=cloudwatch.AlarmRule.from_alarm(own, cloudwatch.AlarmState.ALARM)
    )
    make(stack, alarms=[both], checks=ShiftChecks(comparison=None))
    template = synth(stack)
    (statement,) = template.statements("ShiftReading")
    assert (statement["Action"], statement["Resource"]) == ("cloudwatch:DescribeAlarms", "*")


def test_metrics_are_those_of_the_machine(stack: cdk.Stack) -> None:
    shift = make(stack)
    assert shift.metric_failed().metric_name == "ExecutionsFailed"
    assert shift.metric_succeeded().metric_name == "ExecutionsSucceeded"
    assert shift.metric("ExecutionTime").namespace == "AWS/States"


def test_fails_on_an_endpoint_with_one_variant(stack: cdk.Stack) -> None:
    bucket = s3.Bucket.from_bucket_name(stack, "B", "models")
    source = ModelSource.sklearn(ModelArtifact.from_bucket(bucket, "m.tar.gz"))
    endpoint = ModelEndpoint(stack, "E", variants=[Variant(name="blue", model=source)])
    with pytest.raises(PropError, match="endpoint must have two variants .*; add the new one at weight 0"):
        make(stack, endpoint=endpoint)


@pytest.mark.parametrize(
    ("props", "message"),
    [
        ({"plan": ShiftPlan.blue_green()}, "checks must have requests .*blue/green tests the new variant"),
        ({"checks": ShiftChecks(comparison=None)}, "alarms must not be empty without a comparison"),
    ],
)
def test_fails_when_nothing_would_judge_the_variant(props: dict[str, Any], message: str, stack: cdk.Stack) -> None:
    with pytest.raises(PropError, match=message):
        make(stack, **props)
    assert stack.node.try_find_child("Shift") is None


def test_fails_on_more_alarms_than_can_be_described_at_once(stack: cdk.Stack) -> None:
    with pytest.raises(PropError, match="alarms must number at most 100 for traffic shift, got 101"):
        make(stack, alarms=[alarm(stack)] * 101)


def test_nag_is_clean(stack: cdk.Stack, nag: Callable[[cdk.Stack], list[str]]) -> None:
    make(stack, plan=ShiftPlan.blue_green(), checks=TESTED, alarms=[alarm(stack)])
    assert nag(stack) == []


def test_plans_have_the_steps_of_their_approach() -> None:
    assert ShiftPlan.blue_green().steps == (100,)
    assert ShiftPlan.canary().steps == (5, 25, 100)
    assert ShiftPlan.linear(step_percent=30).steps == (30, 60, 90, 100)
    assert ShiftPlan.linear(step_percent=50).steps == (50, 100)
    assert ShiftPlan.linear(step_percent=2, bake_minutes=1).steps[-2:] == (98, 100)
    assert ShiftPlan.ab().steps == (50, 60, 80, 100)


@pytest.mark.parametrize(
    ("minutes", "seconds", "look", "looks"), [(0.05, 3, 3, 1), (15, 900, 60, 15), (60, 3600, 120, 30), (1.5, 90, 60, 2)]
)
def test_a_bake_is_cut_into_looks(minutes: float, seconds: int, look: int, looks: int) -> None:
    plan = ShiftPlan.canary(bake_minutes=minutes)
    assert (plan.bake_seconds, plan.look_seconds, plan.looks) == (seconds, look, looks)


@pytest.mark.parametrize(
    ("make_plan", "message"),
    [
        (lambda: ShiftPlan.canary(steps=(10, 5, 100)), "steps must rise for canary shift"),
        (lambda: ShiftPlan.canary(steps=(10, 50)), "steps must end at 100"),
        (lambda: ShiftPlan.canary(steps=(0, 100)), "steps must be over 0 and at most 100"),
        (lambda: ShiftPlan.canary(steps=()), "steps must number 1 to 50"),
        (lambda: ShiftPlan.ab(bake_minutes=0), "bake_minutes must be between"),
        (lambda: ShiftPlan.ab(bake_minutes=2000), "bake_minutes must be between"),
        (lambda: ShiftPlan.ab(bake_minutes=0.0251), "bake_minutes must be a whole number of seconds"),
        (lambda: ShiftPlan.ab(extra_bakes=-1), "extra_bakes must be between 0 and 20"),
        (lambda: ShiftPlan.linear(step_percent=2), "steps must make at most 25000 events .*; take fewer steps"),
        (lambda: ShiftPlan.linear(step_percent=1), "step_percent must be between 2.0 and 100"),
        (lambda: ShiftPlan.blue_green(retire_instances=0), "retire_instances must be at least 1"),
        (lambda: AnswerCheck(path="score"), "minimum must be given"),
        (lambda: AnswerCheck(minimum=2, maximum=1), "minimum must be at most maximum"),
        (lambda: request(body="1,2"), "body must be a JSON object or array"),
        (lambda: request(body={"x": float("nan")}), "body must be a JSON object or array"),
        (lambda: request(body={"x": "{% $me %}"}), "which Step Functions evaluates"),
        (lambda: request(content_type="text/csv"), "content_type must be one of"),
        (lambda: VariantComparison(minimum_requests=0), "minimum_requests must be at least 1"),
        (lambda: VariantComparison(error_margin=2), "error_margin must be between 0 and 1"),
        (lambda: VariantComparison(latency_ratio=0.5), "latency_ratio must be at least 1"),
        (lambda: VariantComparison(latency_slack_ms=-1), "latency_slack_ms must be at least 0"),
        (lambda: ShiftChecks(requests=(REQUEST,) * 11, repeats=10), "requests must be at most 100"),
        (lambda: ShiftChecks(max_latency_ms=0), "max_latency_ms must be between 1 and 60000"),
        (lambda: ShiftChecks(requests=(REQUEST,), repeats=2, max_failures=2), "max_failures must be fewer than"),
        (lambda: ShiftChecks(max_failures=-1), "max_failures must be at least 0"),
    ],
)
def test_fails_on_values_out_of_range(make_plan: Callable[[], object], message: str) -> None:
    with pytest.raises(PropError, match=message):
        make_plan()


def request(body: Any = ({"features": [1]},), **types: str) -> SyntheticRequest:
    return SyntheticRequest(body=body, expect=AnswerCheck(minimum=0), **types)


def test_an_expected_value_travels_into_the_definition() -> None:
    checks: Sequence[AnswerCheck] = (AnswerCheck(path="a.b", equals="x"), AnswerCheck(maximum=3), AnswerCheck(equals=0))
    asked = ShiftChecks(requests=tuple(SyntheticRequest(body=[1], expect=check) for check in checks), repeats=1)
    items = definition(ShiftPlan.blue_green(), asked, alarm_count=0)["States"]["SyntheticTest"]["Items"]
    assert [(item["keys"], item["expected"]) for item in items] == [
        (["a", "b"], {"equals": "x"}),
        ([], {"maximum": 3}),
        ([], {"equals": 0}),
    ]
