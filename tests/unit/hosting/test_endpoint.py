"""ModelEndpoint: closed by default, policies before what uses them, stable name, replaceable model."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns

from cdk_ml_lens import AlarmRule, DataCapture, ModelArtifact, ModelEndpoint, ModelSource, PropError, Variant
from tests.unit.templates import Template


def source(stack: cdk.Stack, id: str, key: str = "a/model.tar.gz") -> ModelSource:
    return ModelSource.sklearn(ModelArtifact.from_bucket(s3.Bucket.from_bucket_name(stack, id, "models"), key))


def make(stack: cdk.Stack, **props: object) -> ModelEndpoint:
    return ModelEndpoint(stack, "E", variants=[Variant(name="primary", model=source(stack, "Models"))], **props)  # type: ignore[arg-type]


def ids(template: Template, noun: str) -> set[str]:
    return set(template.of_type(f"AWS::SageMaker::{noun}"))


def test_minimal_is_isolated_encrypted_and_captured(stack: cdk.Stack, synth: Callable[[cdk.Stack], Template]) -> None:
    make(stack)
    template = synth(stack)
    model = template.only("AWS::SageMaker::Model")
    assert model["EnableNetworkIsolation"] is True
    assert model["PrimaryContainer"]["Environment"]["SAGEMAKER_PROGRAM"] == "inference.py"
    config = template.only("AWS::SageMaker::EndpointConfig")
    assert "KmsKeyId" in config
    capture = config["DataCaptureConfig"]
    assert capture["InitialSamplingPercentage"] == 100
    assert "KmsKeyId" in capture
    assert [option["CaptureMode"] for option in capture["CaptureOptions"]] == ["Input", "Output"]
    assert template.only("AWS::Logs::LogGroup")["LogGroupName"].startswith("/aws/sagemaker/Endpoints/")


def test_names_of_model_and_config_are_generated_but_the_endpoints_is_stable(
    stack: cdk.Stack, synth: Callable[[cdk.Stack], Template]
) -> None:
    make(stack)
    template = synth(stack)
    assert "ModelName" not in template.only("AWS::SageMaker::Model")
    assert "EndpointConfigName" not in template.only("AWS::SageMaker::EndpointConfig")
    assert template.only("AWS::SageMaker::Endpoint")["EndpointName"] == "Test-E-F940260A"  # from the path: for life


def test_role_policy_exists_before_model_config_and_endpoint(
    stack: cdk.Stack, synth: Callable[[cdk.Stack], Template]
) -> None:
    make(stack)
    template = synth(stack)
    policies = set(template.of_type("AWS::IAM::Policy"))
    for noun in ("Model", "EndpointConfig"):
        for logical_id in ids(template, noun):
            assert policies <= template.depends_on(logical_id)
    (endpoint,) = ids(template, "Endpoint")
    assert set(template.of_type("AWS::Logs::LogGroup")) <= template.depends_on(endpoint)


def test_new_artifact_changes_the_model_and_nothing_of_the_endpoint(tmp_path: Path) -> None:
    def bodies(key: str) -> Template:
        app = cdk.App(outdir=str(tmp_path / key.replace("/", "_")))
        stack = cdk.Stack(app, "Test")
        ModelEndpoint(stack, "E", variants=[Variant(name="primary", model=source(stack, "Models", key))])
        return Template(app.synth().get_stack_by_name("Test").template)

    old, new = bodies("v1/model.tar.gz"), bodies("v2/model.tar.gz")
    assert old.only("AWS::SageMaker::Model") != new.only("AWS::SageMaker::Model")
    assert old.only("AWS::SageMaker::Endpoint") == new.only("AWS::SageMaker::Endpoint")
    assert set(old.resources) == set(new.resources)


def test_full_has_several_variants_a_name_and_wired_alarms(
    stack: cdk.Stack, synth: Callable[[cdk.Stack], Template]
) -> None:
    bucket = s3.Bucket.from_bucket_name(stack, "Captures", "captures")
    model = source(stack, "Models")
    ModelEndpoint(
        stack,
        "E",
        variants=[
            Variant(name="blue", model=model, instance_count=2, weight=9),
            Variant(name="green", model=model, weight=0),
        ],
        endpoint_name="anomaly",
        capture=DataCapture(percent=20, prefix="c", responses=False, bucket=bucket),
        alarm_topic=sns.Topic(stack, "Ops"),
    )
    template = synth(stack)
    variants = template.only("AWS::SageMaker::EndpointConfig")["ProductionVariants"]
    assert [(v["VariantName"], v["InitialVariantWeight"]) for v in variants] == [("blue", 9), ("green", 0)]
    assert template.only("AWS::SageMaker::Endpoint")["EndpointName"] == "anomaly"
    alarms = [res["Properties"] for res in template.of_type("AWS::CloudWatch::Alarm").values()]
    assert len(alarms) == 4
    assert all(alarm["AlarmActions"] for alarm in alarms)
    assert template.of_type("AWS::S3::Bucket") == {}


def test_capture_can_be_left_out(stack: cdk.Stack, synth: Callable[[cdk.Stack], Template]) -> None:
    make(stack, capture=None)
    template = synth(stack)
    assert "DataCaptureConfig" not in template.only("AWS::SageMaker::EndpointConfig")
    assert "s3:PutObject" not in template.actions()


def test_role_reads_its_artifact_and_pulls_its_image_only(
    stack: cdk.Stack, synth: Callable[[cdk.Stack], Template]
) -> None:
    make(stack, capture=None)
    template = synth(stack)
    assert "ManagedPolicyArns" not in template.only("AWS::IAM::Role")
    by_action = {str(s["Action"]): s for s in template.statements()}
    assert "models/a/model.tar.gz" in str(by_action["s3:GetObject"]["Resource"])
    starred = {str(s["Action"]) for s in template.statements() if s["Resource"] == "*"}
    assert starred == {"ecr:GetAuthorizationToken", "cloudwatch:PutMetricData"}


def test_grant_and_metric_work_on_an_imported_endpoint(
    stack: cdk.Stack, synth: Callable[[cdk.Stack], Template]
) -> None:
    endpoint = ModelEndpoint.from_endpoint_name(stack, "other")
    role = iam.Role(stack, "Caller", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
    endpoint.grant_invoke(role)
    assert endpoint.metric("Invocations", variant="v").metric_name == "Invocations"
    (statement,) = synth(stack).statements()
    assert statement["Action"] == "sagemaker:InvokeEndpoint"
    assert "endpoint/other" in str(statement["Resource"])


def test_own_alarm_on_a_variant(stack: cdk.Stack, synth: Callable[[cdk.Stack], Template]) -> None:
    endpoint = make(stack)
    endpoint.alarm("Idle", AlarmRule(metric="Invocations", threshold=1, comparison="below"), variant="primary")
    metrics = [res["Properties"]["MetricName"] for res in synth(stack).of_type("AWS::CloudWatch::Alarm").values()]
    assert "Invocations" in metrics
    assert endpoint.metric_invocations(variant="primary").metric_name == "Invocations"
    assert endpoint.metric_model_latency(variant="primary").metric_name == "ModelLatency"


@pytest.mark.parametrize("name", ["-a", "a-", "a_b", "x" * 64])
def test_fails_on_a_name_that_sagemaker_refuses(stack: cdk.Stack, name: str) -> None:
    with pytest.raises(PropError, match="endpoint_name must be 1 to 63 of"):
        make(stack, endpoint_name=name)


def test_nag_is_clean(stack: cdk.Stack, nag: Callable[[cdk.Stack], list[str]]) -> None:
    make(stack)
    assert nag(stack) == []
