"""ModelMonitor: four kinds as the API and CloudFormation take them, names, order of deletion."""

from __future__ import annotations

import re
from typing import Any

import aws_cdk as cdk
import botocore.session
import pytest
from aws_cdk import assertions
from aws_cdk import aws_s3 as s3
from botocore.validate import ParamValidator
from cfnlint import lint
from cfnlint.config import ManualArgs

from cdk_ml_lens import (
    CaptureSource,
    ModelArtifact,
    ModelEndpoint,
    ModelSource,
    MonitoringJob,
    MonitorSchedule,
    Variant,
)
from tests.unit.monitoring.drift_support import KEY, bucket
from tests.unit.monitoring.model_monitor_support import (
    KINDS,
    TOKEN,
    Synth,
    definition,
    everything,
    monitor,
)
from tests.unit.templates import Template


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


def test_the_analyzer_has_no_tag_and_clarify_has_one(app: cdk.App) -> None:
    stack = cdk.Stack(app, "Placed", env=cdk.Environment(account="111122223333", region="eu-west-1"))
    monitor(stack)
    wanted = definition(Template(assertions.Template.from_stack(stack).to_json()), "DataQuality")
    image = str(wanted["DataQualityAppSpecification"]["ImageUri"])
    assert "468650794304.dkr.ecr." in image
    assert image.rstrip("']}").endswith("/sagemaker-model-monitor-analyzer")


@pytest.mark.parametrize(
    ("hours", "expression"), [(1, "cron(0 * ? * * *)"), (12, "cron(0 5/12 ? * * *)"), (24, "cron(0 5 ? * * *)")]
)
def test_a_schedule_is_one_of_the_forms_that_are_taken(hours: int, expression: str) -> None:
    assert MonitorSchedule(every_hours=hours, hour=5).expression == expression
