"""LakePipeline: three tables, three jobs in order, one run at a time, failures by name, two kinds of trigger."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam

from cdk_ml_lens import (
    Column,
    DataLake,
    Engine,
    LakePipeline,
    PipelineTrigger,
    PropError,
    QualityGate,
    QualityRule,
    Table,
)
from tests.unit.lake.lake_support import FEATURES, lake_with_telemetry
from tests.unit.templates import Template

Synth = Callable[[cdk.Stack], Template]
STEPS = ["clean", "normalise", "features"]


def pipeline(stack: cdk.Stack, **props: Any) -> LakePipeline:
    lake, telemetry = lake_with_telemetry(stack)
    return LakePipeline(stack, "Pipeline", lake=lake, source=telemetry, feature_set=FEATURES, **props)


def machine_of(template: Template) -> dict[str, Any]:
    """Return the definition, references shown as ``<logical id>``."""
    joined = template.only("AWS::StepFunctions::StateMachine")["DefinitionString"]["Fn::Join"][1]
    parts = [part if isinstance(part, str) else f"<{part.get('Ref', 'attribute')}>" for part in joined]
    definition: dict[str, Any] = json.loads("".join(parts))
    return definition


def jobs_of(template: Template) -> dict[str, dict[str, Any]]:
    jobs = template.of_type("AWS::Glue::Job").items()
    return {job["Properties"]["DefaultArguments"]["--step"]: {"id": id, **job["Properties"]} for id, job in jobs}


def test_minimal_makes_the_tables_and_their_jobs(stack: cdk.Stack, synth: Synth) -> None:
    made = pipeline(stack)
    template = synth(stack)
    assert [made.modelled.name, made.enhanced.name, made.features.name] == ["readings", "readings", "features"]
    jobs = jobs_of(template)
    assert list(jobs) == STEPS
    arguments = [jobs[step]["DefaultArguments"] for step in STEPS]
    for before, after in itertools.pairwise(arguments):
        assert before["--target"] == after["--source"]
    assert template.of_type("AWS::Scheduler::Schedule") == {}
    assert template.of_type("AWS::Pipes::Pipe") == {}


def test_columns_are_those_of_the_feature_set(stack: cdk.Stack, synth: Synth) -> None:
    made = pipeline(stack)
    assert [column.name for column in made.modelled.columns][4:] == ["temperature", "temperature_held"]
    names = [column.name for column in made.features.columns]
    assert names == ["device_id", "reading_id", "event_time", "received_at", *FEATURES.names, "split"]
    assert {column.type for column in made.features.columns if column.name in FEATURES.names} == {"double"}


def test_steps_run_in_order_and_each_failure_has_the_name_of_its_step(stack: cdk.Stack, synth: Synth) -> None:
    pipeline(stack)
    template = synth(stack)
    states, jobs = machine_of(template)["States"], jobs_of(template)
    for step, after in (("Clean", "Normalise"), ("Normalise", "Features"), ("Features", "Published")):
        state = states[step]
        assert state["Resource"].endswith(":states:::glue:startJobRun.sync")
        assert state["Parameters"]["JobName"] == f"<{jobs[step.lower()]['id']}>"
        assert state["Next"] == after
        assert state["ResultPath"] == f"$.{step}"  # the rest of a run is of no use to the next step
        assert state["Catch"][0]["ErrorEquals"] == ["States.ALL"]
        ended = states[state["Catch"][0]["Next"]]
        assert [item["StringMatches"] for item in ended["Choices"]] == ["*QualityError*"]
        for error, name in ((f"{step}Refused", ended["Choices"][0]["Next"]), (f"{step}Failed", ended["Default"])):
            assert states[name] == {"Type": "Fail", "Error": error, "CausePath": "$.failure.Cause"}
        assert state["TimeoutSeconds"] > jobs[step.lower()]["Timeout"] * 60
        assert "States.TaskFailed" not in json.dumps(state["Retry"])  # a refused batch would be refused again


def test_one_run_works_one_waits_and_the_rest_is_covered(stack: cdk.Stack, synth: Synth) -> None:
    pipeline(stack)
    definition = machine_of(synth(stack))
    assert definition["StartAt"] == "Queue"
    states = definition["States"]
    assert states["Queue"]["Arguments"]["StatusFilter"] == "RUNNING"
    assert states["Turn"]["Choices"] == [
        {"Variable": "$.older", "NumericEquals": 0, "Next": "Clean"},
        {"Variable": "$.older", "NumericEquals": 1, "Next": "Wait"},
    ]
    assert states[states["Turn"]["Default"]]["Type"] == "Succeed"
    assert states["Wait"]["Next"] == "Queue"


def test_the_machine_may_run_its_jobs_and_look_at_itself_only(stack: cdk.Stack, synth: Synth) -> None:
    pipeline(stack)
    template = synth(stack)
    statements = template.statements("PipelineMachineRole")
    started = [json.dumps(item["Resource"]) for item in statements if "glue:StartJobRun" in item["Action"]]
    ids = [job["id"] for job in jobs_of(template).values()]
    assert [id for id, resource in zip(ids, started, strict=True) if id not in resource] == []
    ((machine_id, _),) = template.of_type("AWS::StepFunctions::StateMachine").items()
    (look,) = template.statements("LookAtOthers")
    assert (look["Action"], look["Resource"]) == ("states:ListExecutions", {"Ref": machine_id})


def test_rules_go_to_the_step_whose_table_has_the_column(stack: cdk.Stack, synth: Synth) -> None:
    rules = [
        QualityRule.row_count(at_least=10),
        QualityRule.values_between("temperature", -40, 125),
        QualityRule.is_complete("temperature_mean_300s"),
    ]
    pipeline(stack, quality=QualityGate(rules=rules, max_quarantined_share=0.2))
    jobs = jobs_of(synth(stack))
    found = {step: json.loads(jobs[step]["DefaultArguments"]["--quality"]) for step in STEPS}
    assert found["clean"] == ["RowCount >= 10", 'ColumnValues "temperature" between -40 and 125']
    assert found["normalise"] == ["RowCount >= 1"]
    assert found["features"] == ["RowCount >= 10", 'IsComplete "temperature_mean_300s"']
    assert {jobs[step]["DefaultArguments"]["--max_quarantined_share"] for step in STEPS} == {"0.2"}


def test_the_engine_is_that_of_every_job(stack: cdk.Stack, synth: Synth) -> None:
    pipeline(stack, engine=Engine.spark(workers=4))
    jobs = jobs_of(synth(stack)).values()
    assert [(job["NumberOfWorkers"], job["DefaultArguments"]["--engine"]) for job in jobs] == [(4, "spark")] * 3


def test_the_scorer_may_read_the_parameters_that_normalising_writes(stack: cdk.Stack, synth: Synth) -> None:
    made = pipeline(stack)
    scorer = iam.Role(stack, "Scorer", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
    made.grant_read_parameters(scorer)
    template = synth(stack)
    assert made.parameters_key == "_artifacts/normalisation/readings/current.json"
    artifacts = jobs_of(template)["normalise"]["DefaultArguments"]["--artifacts"]
    prefix, _, _ = made.parameters_key.rpartition("/")
    assert artifacts == stack.resolve(f"s3://{made.parameters_bucket.bucket_name}/{prefix}/")
    assert template.actions("Scorer") == {"kms:Decrypt", "s3:GetObject"}


def test_its_roles_can_be_those_that_the_key_is_restricted_to(stack: cdk.Stack, synth: Synth) -> None:
    lake, telemetry = lake_with_telemetry(stack)
    made = LakePipeline(stack, "Pipeline", lake=lake, source=telemetry, feature_set=FEATURES)
    lake.restrict_key(*made.roles)
    policy = json.dumps(synth(stack).only("AWS::KMS::Key")["KeyPolicy"])
    for role in made.roles:
        assert stack.resolve(role.role_arn)["Fn::GetAtt"][0] in policy
    assert len(made.roles) == 3


@pytest.mark.parametrize(
    ("trigger", "expression", "zone"),
    [
        (PipelineTrigger.every(minutes=1), "rate(1 minute)", "UTC"),
        (PipelineTrigger.every(minutes=90), "rate(90 minutes)", "UTC"),
        (PipelineTrigger.cron("0 2 * * ? *", time_zone="Europe/Berlin"), "cron(0 2 * * ? *)", "Europe/Berlin"),
    ],
)
def test_a_schedule_starts_the_machine(
    stack: cdk.Stack, synth: Synth, trigger: PipelineTrigger, expression: str, zone: str
) -> None:
    pipeline(stack, trigger=trigger)
    template = synth(stack)
    schedule = template.only("AWS::Scheduler::Schedule")
    assert (schedule["ScheduleExpression"], schedule["ScheduleExpressionTimezone"]) == (expression, zone)
    ((machine_id, _),) = template.of_type("AWS::StepFunctions::StateMachine").items()
    assert schedule["Target"]["Arn"] == {"Ref": machine_id}
    assert template.actions("ScheduleRole") == {"states:StartExecution"}


def test_arrivals_start_the_machine_once_after_they_settled(stack: cdk.Stack, synth: Synth) -> None:
    made = pipeline(stack, trigger=PipelineTrigger.arrival(settle_seconds=600))
    template = synth(stack)
    queue = template.only("AWS::SQS::Queue")
    assert (queue["FifoQueue"], queue["ContentBasedDeduplication"], queue["DelaySeconds"]) == (True, True, 600)
    rules = [item["Properties"] for item in template.of_type("AWS::Events::Rule").values()]
    (rule,) = [item for item in rules if item["EventPattern"]["source"] == ["aws.s3"]]
    detail = rule["EventPattern"]["detail"]
    assert detail["object"]["key"] == [{"prefix": "telemetry/"}]
    assert detail["bucket"]["name"] == [stack.resolve(made.jobs[0].step.source.bucket.bucket_name)]
    (target,) = rule["Targets"]
    assert json.loads(target["Input"]) == {"trigger": "arrival"}  # always the same: repeats are dropped
    assert target["SqsParameters"] == {"MessageGroupId": "arrival"}
    pipe = template.only("AWS::Pipes::Pipe")
    ((machine_id, _),) = template.of_type("AWS::StepFunctions::StateMachine").items()
    assert pipe["Target"] == {"Ref": machine_id}
    assert pipe["TargetParameters"]["StepFunctionStateMachineParameters"]["InvocationType"] == "FIRE_AND_FORGET"
    assert template.actions("PipeRole") == {
        "kms:Decrypt",
        "sqs:DeleteMessage",
        "sqs:GetQueueAttributes",
        "sqs:ReceiveMessage",
        "states:StartExecution",
    }


def test_only_the_rule_may_write_to_the_queue(stack: cdk.Stack, synth: Synth) -> None:
    pipeline(stack, trigger=PipelineTrigger.arrival())
    template = synth(stack)
    statements = template.only("AWS::SQS::QueuePolicy")["PolicyDocument"]["Statement"]
    (admitted,) = [item for item in statements if item["Effect"] == "Allow"]
    assert admitted["Principal"] == {"Service": "events.amazonaws.com"}
    ((rule_id, _),) = [
        (id, item)
        for id, item in template.of_type("AWS::Events::Rule").items()
        if item["Properties"]["EventPattern"]["source"] == ["aws.s3"]
    ]
    assert admitted["Condition"] == {"ArnEquals": {"aws:SourceArn": {"Fn::GetAtt": [rule_id, "Arn"]}}}


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: PipelineTrigger.every(minutes=0), "minutes must be at least 1"),
        (lambda: PipelineTrigger.cron("0 2 * *"), "fields must be six cron fields"),
        (lambda: PipelineTrigger.arrival(settle_seconds=60), "settle_seconds must be between 300 and 900"),
        (lambda: PipelineTrigger.arrival(settle_seconds=901), "settle_seconds must be between 300 and 900"),
    ],
)
def test_fails_on_triggers_that_aws_has_not(make: Callable[[], object], message: str) -> None:
    with pytest.raises(PropError, match=message):
        make()


def test_fails_on_a_source_without_the_sensors(stack: cdk.Stack) -> None:
    lake = DataLake(stack, "Lake")
    source = lake.add_table(Table(name="other", columns=[Column(name="device_id")]))
    with pytest.raises(PropError, match="source must have the columns of readings and sensors for lake pipeline"):
        LakePipeline(stack, "Pipeline", lake=lake, source=source, feature_set=FEATURES)


def test_fails_on_a_rule_of_a_column_that_no_table_has(stack: cdk.Stack) -> None:
    with pytest.raises(PropError, match=r"quality must look at the columns .* got \['pressure'\]"):
        pipeline(stack, quality=QualityGate(rules=[QualityRule.is_complete("pressure")]))


@pytest.mark.parametrize("trigger", [PipelineTrigger.every(minutes=60), PipelineTrigger.arrival()])
def test_nag_is_clean(stack: cdk.Stack, nag: Callable[[cdk.Stack], list[str]], trigger: PipelineTrigger) -> None:
    pipeline(stack, trigger=trigger)
    assert nag(stack) == []
