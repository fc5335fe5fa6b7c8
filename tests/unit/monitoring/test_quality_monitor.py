"""QualityMonitor: captures and labels of a window, bounds as arguments, permissions, refusals, nag."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns

from cdk_ml_lens import (
    AlarmRule,
    CaptureSource,
    DriftSchedule,
    GroundTruth,
    MonitoringJob,
    PropError,
    QualityBound,
    QualityMonitor,
    QualityRules,
)
from cdk_ml_lens.monitoring.quality_values import METRICS
from model_src.drift.ground_truth import Labelled
from model_src.drift.quality import measure_quality
from tests.model.drift.test_quality import pairs
from tests.unit.monitoring.drift_support import baseline, bucket, check_machine, definition
from tests.unit.templates import Template

Synth = Callable[[cdk.Stack], Template]
RECALL = QualityBound(metric="recall", bound=0.9, direction="at_least")


def monitor(stack: cdk.Stack, **props: Any) -> QualityMonitor:
    """Make a monitor with the least props, and those that are given."""
    traffic = bucket(stack, "Traffic")
    least = {
        "captures": CaptureSource(bucket=traffic, endpoint_name="pumps", variant_name="primary"),
        "labels": GroundTruth(bucket=bucket(stack, "Truth")),
        "rules": QualityRules(bounds=[RECALL]),
        "baseline": baseline(stack, bucket=bucket(stack, "Reports")),
    }
    return QualityMonitor(stack, "Monitor", **{**least, **props})


def test_minimal_judges_a_day_a_week_later_by_captures_and_labels(stack: cdk.Stack, synth: Synth) -> None:
    monitor(stack)
    found = definition(synth(stack), "MonitorMachine")["States"]
    assert "604800000" in found["ReadWindow"]["Assign"]["until"]
    labels = found["ListLabels"]["Arguments"]
    assert (labels["Bucket"], labels["Prefix"]) == ("truth", "ground-truth/")
    assert labels["StartAfter"] == "{% 'ground-truth/' & $from %}"
    job = found["Judge"]["Arguments"]
    kinds = {given["InputName"]: given["S3Input"]["S3DataType"] for given in job["ProcessingInputs"]}
    assert kinds == {"code": "S3Prefix", "captures": "ManifestFile", "labels": "ManifestFile", "baseline": "S3Prefix"}
    words = job["AppSpecification"]["ContainerArguments"]
    assert words[0] == "quality"
    assert words[words.index("--bound") + 1] == "recall:at_least:0.9"
    assert "--group" not in words


def test_full_takes_groups_schedule_and_job(stack: cdk.Stack, synth: Synth) -> None:
    rules = QualityRules(
        bounds=[RECALL], group="site", least_difference=0.2, answer_field="hit", false_alarm_rate=0.05, minimum_rows=50
    )
    made = monitor(
        stack,
        rules=rules,
        schedule=DriftSchedule(every_minutes=60, delay_minutes=120),
        job=MonitoringJob(max_minutes=5),
        alarm_topic=sns.Topic(stack, "Ops"),
    )
    made.alarm("Few", AlarmRule(metric="LabelledRows", threshold=50, comparison="below"))
    made.on_violated("Told", targets.SnsTopic(sns.Topic(stack, "Told")))
    template = synth(stack)
    words = definition(template, "MonitorMachine")["States"]["Judge"]["Arguments"]["AppSpecification"]
    given = json.dumps(words["ContainerArguments"])
    for argument in ('"--group", "site"', '"--least-difference", "0.2"', '"--answer-field", "hit"'):
        assert argument in given
    alarms = [item["Properties"] for item in template.of_type("AWS::CloudWatch::Alarm").values()]
    (alarm,) = [item for item in alarms if item["MetricName"] == "QualityViolated"]
    assert (alarm["Namespace"], alarm["TreatMissingData"]) == ("CdkMlLens/Quality", "ignore")
    assert alarm["AlarmActions"]
    rule = template.only("AWS::Events::Rule")["EventPattern"]
    assert (rule["detail-type"], rule["detail"]) == (["Quality Violated"], {"monitor": [made.name]})


def test_every_task_is_caught_and_a_window_without_labels_is_counted(stack: cdk.Stack, synth: Synth) -> None:
    monitor(stack)
    machine = definition(synth(stack), "MonitorMachine")
    assert check_machine(machine) == {"ListFailed", "JudgeFailed", "PublishFailed"}
    (datum,) = machine["States"]["NoLabels"]["Arguments"]["MetricData"]
    assert (datum["MetricName"], datum["Value"]) == ("LabelledRows", 0)


def test_the_job_reads_captures_and_labels(stack: cdk.Stack, synth: Synth) -> None:
    made = monitor(stack)
    made.grant_start(iam.Role(stack, "Starter", assumed_by=iam.AccountRootPrincipal()))
    template = synth(stack)
    read = [
        str(item["Resource"]) for item in template.statements("MonitorStatistics") if "s3:GetObject" in item["Action"]
    ]
    assert any("traffic/capture/pumps/primary/*" in place for place in read)
    assert any("truth/ground-truth/*" in place for place in read)
    published = [item for item in template.statements("MonitorMachine") if item["Action"] == "cloudwatch:PutMetricData"]
    assert published[0]["Condition"] == {"StringEquals": {"cloudwatch:namespace": "CdkMlLens/Quality"}}


def test_metrics_of_bounds_are_those_of_the_job() -> None:
    binary: list[Labelled] = pairs([1, 0, 1, 0], [1, 1, 0, 0])
    numbers = pairs([1.5, 2.0, 3.0], [1.0, 2.5, 3.0])
    measured = [one.metric for given in (binary, numbers) for one in measure_quality(given, confidence=0.9)]
    assert set(measured) == set(METRICS)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: QualityRules(), "bounds must name a metric, or group a feature"),
        (lambda: QualityRules(group="--site"), "group must be a plain name"),
        (lambda: QualityRules(bounds=[RECALL], minimum_rows=1), "minimum_rows must be at least 20"),
        (lambda: QualityRules(bounds=[RECALL], false_alarm_rate=0.5), "false_alarm_rate must be above 0"),
        (lambda: QualityBound(metric="speed", bound=1, direction="at_least"), "metric must be one of"),
    ],
)
def test_fails_on_values_that_could_not_work(make: Callable[[], object], message: str) -> None:
    with pytest.raises(PropError, match=re.escape(message)):
        make()


def test_fails_on_labels_without_a_place(stack: cdk.Stack) -> None:
    with pytest.raises(PropError, match="prefix must be a path without slashes"):
        GroundTruth(bucket=bucket(stack, "Truth"), prefix="truth/")


def test_nag_is_clean(stack: cdk.Stack, nag: Callable[[cdk.Stack], list[str]]) -> None:
    made = monitor(stack)
    made.grant_read(iam.Role(stack, "Reader", assumed_by=iam.AccountRootPrincipal()))
    made.on_failed(
        "Failed", targets.SnsTopic(sns.Topic.from_topic_arn(stack, "T", "arn:aws:sns:eu-west-1:111122223333:t"))
    )
    assert nag(stack) == []
