"""ModelMonitor: notice, permissions, events, refusals; nag."""

from __future__ import annotations

import re
from collections.abc import Callable

import aws_cdk as cdk
import pytest
from aws_cdk import assertions
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs

from cdk_ml_lens import (
    AnswerFields,
    GroundTruth,
    IsolatedNetwork,
    ModelBias,
    ModelExplainability,
    ModelQuality,
    MonitorFile,
    MonitoringJob,
    MonitorSchedule,
    PropError,
)
from cdk_ml_lens.monitoring.model_monitor import CLOSED
from tests.unit.monitoring.drift_support import bucket
from tests.unit.monitoring.model_monitor_support import (
    KINDS,
    Synth,
    monitor,
)


def test_every_use_warns_until_the_notice_is_acknowledged(stack: cdk.Stack) -> None:
    made = monitor(stack)
    found = assertions.Annotations.from_stack(stack)
    found.has_warning("/Test/Native", assertions.Match.string_like_regexp(rf"closed to new customers.*{CLOSED}"))
    other = cdk.Stack(cdk.App(), "Test")
    acknowledged = monitor(other)
    cdk.Annotations.of(acknowledged).acknowledge_warning(CLOSED, "this account uses it since 2024")
    quiet = assertions.Annotations.from_stack(other).find_warning("*", assertions.Match.any_value())
    assert [entry for entry in quiet if CLOSED in str(entry.entry.data)] == []
    assert made.schedule_name == acknowledged.schedule_name


@pytest.mark.parametrize("name", KINDS)
def test_jobs_read_their_inputs_and_write_their_own_reports_only(stack: cdk.Stack, synth: Synth, name: str) -> None:
    made = monitor(stack, name, full=True, bucket=bucket(stack, "Reports"))
    statements = synth(stack).statements("NativeJob")
    written = [str(item["Resource"]) for item in statements if "s3:PutObject" in item["Action"]]
    assert len(written) == 1
    assert f"reports/model-monitor/{made.schedule_name}/*" in written[0]
    read = str([item["Resource"] for item in statements if "s3:GetObject" in item["Action"]])
    assert "traffic/capture/pumps/primary/*" in read
    assert "files/baseline/constraints.json" in read
    assert ("labels/ground-truth/*" in read) == (name in ("ModelQuality", "ModelBias"))
    assert ("files/analysis.json" in read) == (name in ("ModelBias", "ModelExplainability"))
    unscoped = {str(item["Action"]) for item in statements if item["Resource"] == "*"}
    assert unscoped == {"ecr:GetAuthorizationToken", "cloudwatch:PutMetricData"}
    actions = {str(item["Action"]) for item in statements}
    assert any("sagemaker:CreateEndpoint" in action for action in actions) == (name == "ModelExplainability")


def test_explainability_reaches_its_model_and_endpoints_of_its_prefix_only(stack: cdk.Stack, synth: Synth) -> None:
    monitor(stack, "ModelExplainability")
    statements = [item for item in synth(stack).statements("NativeJob") if "sagemaker:" in str(item["Action"])]
    resources = str([item["Resource"] for item in statements])
    assert "model/pumps-1" in resources
    assert set(re.findall(r":(endpoint(?:-config)?/[^']+)", resources)) == {
        "endpoint/sm-clarify*",
        "endpoint-config/sm-clarify*",
    }


def test_violations_and_failures_of_this_schedule_are_told(stack: cdk.Stack, synth: Synth) -> None:
    made = monitor(stack)
    queue = sqs.Queue(stack, "Queue")
    made.on_violated("Violated", targets.SqsQueue(queue))
    made.on_failed("Failed", targets.SqsQueue(queue))
    rules = [item["Properties"]["EventPattern"] for item in synth(stack).of_type("AWS::Events::Rule").values()]
    details = [rule["detail"] for rule in rules]
    assert {rule["detail-type"][0] for rule in rules} == {"SageMaker Processing Job State Change"}
    assert [detail["MonitoringScheduleArn"] for detail in details] == [[stack.resolve(made.schedule_arn)]] * 2
    assert {"ExitMessage": [{"prefix": "CompletedWithViolations"}]}.items() <= details[0].items()
    assert details[1]["ProcessingJobStatus"] == ["Failed", "Stopped"]


@pytest.mark.parametrize(
    ("name", "hours", "minutes", "most"),
    [("DataQuality", 1, 61, 60), ("ModelQuality", 1, 31, 30), ("ModelBias", 1, 31, 30), ("ModelBias", 2, 121, 120)],
)
def test_fails_on_a_job_that_may_outlast_its_period(
    stack: cdk.Stack, name: str, hours: int, minutes: int, most: int
) -> None:
    schedule, job = MonitorSchedule(every_hours=hours), MonitoringJob(max_minutes=minutes)
    with pytest.raises(PropError, match=f"max_minutes must be at most {most} for {name} monitor"):
        monitor(stack, name, schedule=schedule, job=job)
    assert stack.node.try_find_child("Native") is None
    other = cdk.Stack(cdk.App(), "Other")
    monitor(other, name, schedule=schedule, job=MonitoringJob(max_minutes=most))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda _: MonitorSchedule(every_hours=25), "every_hours must be between 1 and 24"),
        (lambda _: MonitorSchedule(hour=24), "hour must be between 0 and 23"),
        (lambda _: MonitorSchedule(label_delay_hours=-1), "label_delay_hours must be between 0 and 2160"),
        (lambda _: AnswerFields(threshold=0.5), "probability must be given with a threshold"),
        (lambda _: AnswerFields(probability="p", threshold=2), "threshold must be between 0 and 1"),
        (lambda files: MonitorFile(bucket=files, key="folder/"), "key must be the key of an object"),
        (
            lambda files: ModelQuality(labels=GroundTruth(bucket=files), problem="Regression", answer=AnswerFields()),
            "answer must name inference or probability",
        ),
        (
            lambda files: ModelQuality(
                labels=GroundTruth(bucket=files), problem="Regression", answer=AnswerFields(inference="0", features="f")
            ),
            "answer must name no features",
        ),
        (
            lambda files: ModelExplainability(
                config=MonitorFile(bucket=files, key="a"),
                model_name="pumps",
                answer=AnswerFields(probability="0", threshold=0.5),
            ),
            "answer must have no threshold",
        ),
        (
            lambda files: ModelQuality(
                labels=GroundTruth(bucket=files),
                problem="Clustering",  # type: ignore[arg-type]
                answer=AnswerFields(inference="0"),
            ),
            "problem must be one of",
        ),
        (
            lambda files: ModelBias(
                labels=GroundTruth(bucket=files), config=MonitorFile(bucket=files, key="a"), answer=AnswerFields()
            ),
            "answer must name inference or probability",
        ),
        (
            lambda files: ModelExplainability(config=MonitorFile(bucket=files, key="a"), model_name=""),
            "model_name must not be empty",
        ),
    ],
)
def test_fails_on_values_that_aws_refuses(stack: cdk.Stack, make: Callable[[s3.IBucket], object], message: str) -> None:
    with pytest.raises(PropError, match=re.escape(message)):
        make(bucket(stack, "Files"))


def test_fails_where_aws_has_no_analyzer(app: cdk.App) -> None:
    stack = cdk.Stack(app, "Far", env=cdk.Environment(account="111122223333", region="mx-central-1"))
    with pytest.raises(PropError, match="region must be one of"):
        monitor(stack)


@pytest.mark.parametrize("name", KINDS)
def test_nag_is_clean(stack: cdk.Stack, nag: Callable[[cdk.Stack], list[str]], name: str) -> None:
    made = monitor(stack, name, full=True, job=MonitoringJob(network=IsolatedNetwork(stack, "Network")))
    made.grant_read(iam.Role(stack, "Reader", assumed_by=iam.AccountRootPrincipal()))
    assert nag(stack) == []
