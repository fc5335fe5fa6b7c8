"""Baseline: from a model version or a data set to a versioned description; permissions; nag."""

from __future__ import annotations

from collections.abc import Callable

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns

from cdk_ml_lens import AnswerCheck, ApprovedDeployment, MonitoringJob, SyntheticRequest
from tests.unit.monitoring.drift_support import KEY, baseline, bucket, check_machine, definition, registry
from tests.unit.templates import Template

Synth = Callable[[cdk.Stack], Template]
DESCRIBE = "sagemaker:DescribeModelPackage"


def test_minimal_keeps_baselines_in_an_encrypted_versioned_bucket_of_its_own(stack: cdk.Stack, synth: Synth) -> None:
    made = baseline(stack)
    template = synth(stack)
    buckets = [item["Properties"] for item in template.of_type("AWS::S3::Bucket").values()]
    (data,) = [item for item in buckets if "LoggingConfiguration" in item]
    assert data["VersioningConfiguration"] == {"Status": "Enabled"}
    rule = data["BucketEncryption"]["ServerSideEncryptionConfiguration"][0]["ServerSideEncryptionByDefault"]
    assert rule["SSEAlgorithm"] == "aws:kms"
    assert DESCRIBE not in template.actions("BaselineMachine")
    assert made.current_url.endswith("/baselines/current/baseline.json")


def test_full_describes_the_answers_of_a_version_and_uses_what_is_given(stack: cdk.Stack, synth: Synth) -> None:
    baseline(
        stack,
        registry=registry(stack),
        bucket=bucket(stack, "Reports"),
        job=MonitoringJob(max_minutes=5),
        encryption_key=kms.Key.from_key_arn(stack, "Own", KEY % "own"),
        alarm_topic=sns.Topic(stack, "Ops"),
    )
    template = synth(stack)
    found = definition(template, "BaselineMachine")["States"]
    plain, answers = (found[name]["Arguments"] for name in ("Describe", "DescribeWithAnswers"))
    assert [given["InputName"] for given in plain["ProcessingInputs"]] == ["code", "train", "dataset"]
    assert [given["InputName"] for given in answers["ProcessingInputs"]] == [
        *("code", "train", "dataset", "validation", "model")
    ]
    assert "--model" in answers["AppSpecification"]["ContainerArguments"]
    assert "--model" not in plain["AppSpecification"]["ContainerArguments"]
    assert plain["ProcessingResources"]["ClusterConfig"]["VolumeKmsKeyId"] == KEY % "own"
    assert found["Publish"]["Arguments"]["Key"] == "baselines/current/baseline.json"
    assert DESCRIBE in template.actions("BaselineMachine")
    assert not template.of_type("AWS::S3::Bucket")
    assert not template.of_type("AWS::KMS::Key")
    (alarm,) = template.of_type("AWS::CloudWatch::Alarm").values()
    assert alarm["Properties"]["AlarmActions"]


def test_every_task_is_caught_and_named_by_its_step(stack: cdk.Stack, synth: Synth) -> None:
    baseline(stack)
    machine = definition(synth(stack), "BaselineMachine")
    assert check_machine(machine) == {"ReadModelFailed", "ReadDatasetFailed", "DescribeFailed", "PublishFailed"}


def test_each_deployed_version_brings_its_baseline(stack: cdk.Stack, synth: Synth) -> None:
    group = registry(stack)
    deployment = ApprovedDeployment(
        stack,
        "Deployment",
        registry=group,
        verification=SyntheticRequest(body={"features": [1, 2]}, expect=AnswerCheck(path="score", minimum=0)),
        endpoint_name="pumps",
    )
    baseline(stack, registry=group).follow("Follow", deployment)
    rules = [item["Properties"] for item in synth(stack).of_type("AWS::Events::Rule").values()]
    (rule,) = [item for item in rules if item["EventPattern"]["detail-type"] == ["Deployment Succeeded"]]
    assert rule["EventPattern"]["detail"] == {"endpoint": ["pumps"]}
    (target,) = rule["Targets"]
    assert target["InputTransformer"]["InputPathsMap"] == {"detail-model_package_arn": "$.detail.model_package_arn"}
    assert target["InputTransformer"]["InputTemplate"] == '{"model_package_arn":<detail-model_package_arn>}'


def test_the_job_reads_data_and_artifacts_and_writes_baselines_only(stack: cdk.Stack, synth: Synth) -> None:
    baseline(stack, registry=registry(stack), bucket=bucket(stack, "Reports"))
    statements = synth(stack).statements("BaselineStatistics")
    (written,) = [str(item["Resource"]) for item in statements if "s3:PutObject" in item["Action"]]
    assert "reports/baselines/*" in written
    read = " ".join(str(item["Resource"]) for item in statements if "s3:GetObject" in item["Action"])
    assert "lake/datasets/*" in read
    assert "artifacts/training/*" in read


def test_nag_is_clean(stack: cdk.Stack, nag: Callable[[cdk.Stack], list[str]]) -> None:
    made = baseline(stack, registry=registry(stack))
    made.grant_read(iam.Role(stack, "Reader", assumed_by=iam.AccountRootPrincipal()))
    assert nag(stack) == []


def test_no_argument_of_the_job_grows_with_the_number_of_features(stack: cdk.Stack, synth: Synth) -> None:
    baseline(stack, registry=registry(stack))
    found = definition(synth(stack), "BaselineMachine")["States"]
    for name in ("Describe", "DescribeWithAnswers"):
        words = found[name]["Arguments"]["AppSpecification"]["ContainerArguments"]
        assert not [word for word in words if "features" in word]
        assert words[words.index("--dataset") + 1] == "/opt/ml/processing/input/dataset"
