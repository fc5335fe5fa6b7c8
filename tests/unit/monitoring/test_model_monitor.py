"""ModelMonitor: four kinds as the API takes them, order of deletion, notice, permissions, refusals; nag."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import aws_cdk as cdk
import botocore.session
import pytest
from aws_cdk import assertions
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs
from botocore.validate import ParamValidator
from cfnlint import lint
from cfnlint.config import ManualArgs

from cdk_ml_lens import (
    AnswerFields,
    CaptureSource,
    DataQuality,
    GroundTruth,
    IsolatedNetwork,
    ModelArtifact,
    ModelBias,
    ModelEndpoint,
    ModelExplainability,
    ModelMonitor,
    ModelQuality,
    ModelSource,
    MonitorFile,
    MonitoringJob,
    MonitorSchedule,
    PropError,
    Variant,
)
from cdk_ml_lens.monitoring.model_monitor import CLOSED
from cdk_ml_lens.monitoring.monitor_kinds import AnyKind
from tests.unit.monitoring.drift_support import KEY, bucket
from tests.unit.templates import Template

Synth = Callable[[cdk.Stack], Template]
TOKEN = "arn:aws:iam::111122223333:role/token"
KINDS = ("DataQuality", "ModelQuality", "ModelBias", "ModelExplainability")


def kind_of(stack: cdk.Stack, name: str, *, full: bool = False) -> AnyKind:
    """Return a kind with the least that it takes, or with everything."""
    files = bucket(stack, "Files")
    constraints = MonitorFile(bucket=files, key="baseline/constraints.json") if full else None
    if name == "DataQuality":
        statistics = MonitorFile(bucket=files, key="baseline/statistics.json") if full else None
        return DataQuality(constraints=constraints, statistics=statistics)
    answer = AnswerFields(inference="0")
    if full:
        features = "features" if name == "ModelBias" else None
        answer = AnswerFields(inference="label", probability="score", threshold=0.5, features=features)
    config = MonitorFile(bucket=files, key="analysis.json")
    if name == "ModelExplainability":
        found = AnswerFields(inference="label", features="features") if full else AnswerFields()
        return ModelExplainability(config=config, model_name="Pumps-1", answer=found, constraints=constraints)
    labels = GroundTruth(bucket=bucket(stack, "Labels"))
    if name == "ModelQuality":
        return ModelQuality(labels=labels, problem="BinaryClassification", answer=answer, constraints=constraints)
    return ModelBias(labels=labels, config=config, answer=answer, constraints=constraints)


def monitor(stack: cdk.Stack, name: str = "DataQuality", *, full: bool = False, **props: Any) -> ModelMonitor:
    """Make a monitor with the least props, and those that are given."""
    least: dict[str, Any] = {"kind": kind_of(stack, name, full=full)}
    if "captures" not in props:
        traffic = bucket(stack, "Traffic")
        least["captures"] = CaptureSource(bucket=traffic, endpoint_name="pumps", variant_name="primary")
    return ModelMonitor(stack, "Native", **{**least, **props})


def everything(stack: cdk.Stack) -> dict[str, Any]:
    """Return every optional prop."""
    return {
        "schedule": MonitorSchedule(every_hours=6, hour=3, label_delay_hours=48),
        "job": MonitoringJob(
            instance_type="ml.m5.2xlarge", volume_gb=50, max_minutes=60, network=IsolatedNetwork(stack, "Network")
        ),
        "bucket": bucket(stack, "Reports"),
        "encryption_key": kms.Key.from_key_arn(stack, "Own", KEY % "own"),
    }


def definition(template: Template, name: str) -> dict[str, Any]:
    return template.only(f"AWS::SageMaker::{name}JobDefinition")


def plain(node: Any) -> Any:
    """Return a value with its tokens replaced by a text."""
    if isinstance(node, dict):
        tokens = {"Ref", "Fn::GetAtt", "Fn::Join", "Fn::FindInMap", "Fn::Select"}
        return TOKEN if tokens & set(node) else {key: plain(item) for key, item in node.items()}
    return [plain(item) for item in node] if isinstance(node, list) else node


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("full", [False, True], ids=["minimal", "full"])
def test_each_kind_is_what_the_api_takes(stack: cdk.Stack, synth: Synth, name: str, full: bool) -> None:
    monitor(stack, name, full=full, **(everything(stack) if full else {}))
    wanted = plain(definition(synth(stack), name))
    if "VpcConfig" in wanted["NetworkConfig"]:
        wanted["NetworkConfig"]["VpcConfig"] = {"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1"]}
    model = botocore.session.get_session().get_service_model("sagemaker")
    shape = model.operation_model(f"Create{name}JobDefinition").input_shape
    assert shape is not None
    assert ParamValidator().validate(wanted, shape).generate_report() == ""


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("full", [False, True], ids=["minimal", "full"])
def test_each_kind_is_what_cloudformation_takes(stack: cdk.Stack, synth: Synth, name: str, full: bool) -> None:
    monitor(stack, name, full=full, **(everything(stack) if full else {}))
    found = lint(synth(stack).text(), config=ManualArgs(regions=["us-east-1", "eu-central-1"]))
    assert [match.message for match in found if match.rule.id != "W3005"] == []


@pytest.mark.parametrize("name", KINDS)
def test_minimal_runs_daily_in_an_encrypted_job_of_its_own(stack: cdk.Stack, synth: Synth, name: str) -> None:
    made = monitor(stack, name)
    template = synth(stack)
    job = definition(template, name)
    cluster = job["JobResources"]["ClusterConfig"]
    assert (cluster["InstanceType"], cluster["InstanceCount"], cluster["VolumeSizeInGB"]) == ("ml.m5.xlarge", 1, 30)
    assert cluster["VolumeKmsKeyId"] == job[f"{name}JobOutputConfig"]["KmsKeyId"]
    assert job["NetworkConfig"] == {"EnableNetworkIsolation": name != "ModelExplainability"}
    assert job["StoppingCondition"] == {"MaxRuntimeInSeconds": 1800}
    assert f"{name}BaselineConfig" not in job
    assert job[f"{name}JobInput"]["EndpointInput"]["EndpointName"] == "pumps"
    schedule = template.only("AWS::SageMaker::MonitoringSchedule")
    assert schedule["MonitoringScheduleName"] == made.schedule_name
    assert schedule["MonitoringScheduleConfig"] == {
        "MonitoringJobDefinitionName": job["JobDefinitionName"],
        "MonitoringType": name,
        "ScheduleConfig": {"ScheduleExpression": "cron(0 0 ? * * *)"},
    }


@pytest.mark.parametrize("name", KINDS)
def test_full_takes_baseline_answers_window_and_network(stack: cdk.Stack, synth: Synth, name: str) -> None:
    monitor(stack, name, full=True, **everything(stack))
    template = synth(stack)
    job = definition(template, name)
    baseline = {"ConstraintsResource": {"S3Uri": "s3://files/baseline/constraints.json"}}
    if name == "DataQuality":
        baseline["StatisticsResource"] = {"S3Uri": "s3://files/baseline/statistics.json"}
    assert job[f"{name}BaselineConfig"] == baseline
    assert set(job["NetworkConfig"]["VpcConfig"]) == {"SecurityGroupIds", "Subnets"}
    assert job["JobResources"]["ClusterConfig"]["VolumeKmsKeyId"] == KEY % "own"
    assert "ec2:CreateNetworkInterface" in template.actions("NativeJob")
    endpoint = job[f"{name}JobInput"]["EndpointInput"]
    if name in ("ModelQuality", "ModelBias"):
        assert (endpoint["StartTimeOffset"], endpoint["EndTimeOffset"]) == ("-PT54H", "-PT48H")
        assert endpoint["ProbabilityThresholdAttribute"] == 0.5
        assert job[f"{name}JobInput"]["GroundTruthS3Input"] == {"S3Uri": "s3://labels/ground-truth"}
    else:
        assert "StartTimeOffset" not in endpoint
    schedule = template.only("AWS::SageMaker::MonitoringSchedule")["MonitoringScheduleConfig"]
    assert schedule["ScheduleConfig"] == {"ScheduleExpression": "cron(0 3/6 ? * * *)"}


@pytest.mark.parametrize("name", KINDS)
def test_the_schedule_goes_before_its_definition_and_the_definition_before_the_role(
    stack: cdk.Stack, synth: Synth, name: str
) -> None:
    monitor(stack, name)
    template = synth(stack)
    ((defined, _),) = template.of_type(f"AWS::SageMaker::{name}JobDefinition").items()
    ((scheduled, _),) = template.of_type("AWS::SageMaker::MonitoringSchedule").items()
    assert defined in template.depends_on(scheduled)
    policies = {id for id in template.of_type("AWS::IAM::Policy") if id.startswith("NativeJob")}
    assert policies
    assert policies <= template.depends_on(defined)


def test_the_schedule_goes_before_an_endpoint_of_the_stack(stack: cdk.Stack, synth: Synth) -> None:
    artifact = ModelArtifact.from_bucket(s3.Bucket.from_bucket_name(stack, "Models", "models"), "m.tar.gz")
    served = ModelEndpoint(stack, "Pumps", variants=[Variant(name="only", model=ModelSource.sklearn(artifact))])
    traffic = bucket(stack, "Traffic")
    captures = CaptureSource(bucket=traffic, endpoint_name=served.endpoint_name, variant_name="only")
    monitor(stack, captures=captures)
    template = synth(stack)
    watched = definition(template, "DataQuality")["DataQualityJobInput"]["EndpointInput"]["EndpointName"]
    ((endpoint, _),) = template.of_type("AWS::SageMaker::Endpoint").items()
    assert watched == {"Fn::GetAtt": [endpoint, "EndpointName"]}  # so the endpoint is deleted after it


def test_a_changed_definition_has_another_name_and_an_unchanged_one_the_same() -> None:
    names = set()
    for minutes in (20, 20, 30):
        stack = cdk.Stack(cdk.App(), "Test")
        monitor(stack, job=MonitoringJob(max_minutes=minutes))
        body = assertions.Template.from_stack(stack).to_json()
        names.add(definition(Template(body), "DataQuality")["JobDefinitionName"])
    assert len(names) == 2
    assert all(re.fullmatch(r"[a-z0-9](-*[a-z0-9]){0,62}", name) for name in names)


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


def test_the_analyzer_has_no_tag_and_clarify_has_one(app: cdk.App) -> None:
    stack = cdk.Stack(app, "Placed", env=cdk.Environment(account="111122223333", region="eu-west-1"))
    monitor(stack)
    wanted = definition(Template(assertions.Template.from_stack(stack).to_json()), "DataQuality")
    image = str(wanted["DataQualityAppSpecification"]["ImageUri"])
    assert "468650794304.dkr.ecr." in image
    assert image.rstrip("']}").endswith("/sagemaker-model-monitor-analyzer")


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
    ("hours", "expression"), [(1, "cron(0 * ? * * *)"), (12, "cron(0 5/12 ? * * *)"), (24, "cron(0 5 ? * * *)")]
)
def test_a_schedule_is_one_of_the_forms_that_are_taken(hours: int, expression: str) -> None:
    assert MonitorSchedule(every_hours=hours, hour=5).expression == expression


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
