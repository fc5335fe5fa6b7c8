"""FeatureGroup: typed, encrypted, online and offline, fed by a job of the pipeline."""

from __future__ import annotations

import json
from collections.abc import Callable

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns

from cdk_ml_lens import FeatureGroup, FeatureSet, LakePipeline, OfflineStore, OnlineStore, PropError, Sensor
from tests.unit.lake.lake_support import FEATURES, lake_with_telemetry
from tests.unit.lake.test_lake_pipeline import machine_of
from tests.unit.templates import Template

Synth = Callable[[cdk.Stack], Template]


def test_minimal_has_typed_features_and_encrypts_both_stores(stack: cdk.Stack, synth: Synth) -> None:
    made = FeatureGroup(stack, "Features", feature_set=FEATURES)
    template = synth(stack)
    group = template.only("AWS::SageMaker::FeatureGroup")
    types = {item["FeatureName"]: item["FeatureType"] for item in group["FeatureDefinitions"]}
    assert types == {
        "device_id": "String",
        "event_time": "String",
        "reading_id": "String",
        **dict.fromkeys(FEATURES.names, "Fractional"),
    }
    assert (group["RecordIdentifierFeatureName"], group["EventTimeFeatureName"]) == ("device_id", "event_time")
    assert group["FeatureGroupName"] == made.name
    ((key_id, _),) = template.of_type("AWS::KMS::Key").items()
    key = {"Fn::GetAtt": [key_id, "Arn"]}
    assert group["OnlineStoreConfig"] == {"EnableOnlineStore": True, "SecurityConfig": {"KmsKeyId": key}}
    assert group["OfflineStoreConfig"]["S3StorageConfig"]["KmsKeyId"] == key
    assert group["OfflineStoreConfig"]["TableFormat"] == "Iceberg"


def test_the_group_is_retained_and_its_role_is_there_first(stack: cdk.Stack, synth: Synth) -> None:
    FeatureGroup(stack, "Features", feature_set=FEATURES, removal_policy=cdk.RemovalPolicy.DESTROY)
    template = synth(stack)
    ((id, group),) = template.of_type("AWS::SageMaker::FeatureGroup").items()
    assert group["DeletionPolicy"] == "Retain"  # the context flag is not set
    assert {name for name in template.of_type("AWS::IAM::Policy") if "FeaturesRole" in name} <= template.depends_on(id)


def test_full_takes_name_stores_key_and_topic(stack: cdk.Stack, synth: Synth) -> None:
    bucket = s3.Bucket.from_bucket_name(stack, "Mine", "my-bucket")
    FeatureGroup(
        stack,
        "Features",
        feature_set=FEATURES,
        name="turbines",
        online=OnlineStore(expire_days=30),
        offline=OfflineStore(bucket=bucket, prefix="team/features", format="Glue"),
        encryption_key=kms.Key(stack, "Mykey"),
        alarm_topic=sns.Topic.from_topic_arn(stack, "Topic", "arn:aws:sns:eu-west-1:111122223333:alarms"),
    )
    template = synth(stack)
    group = template.only("AWS::SageMaker::FeatureGroup")
    assert group["FeatureGroupName"] == "turbines"
    assert group["OnlineStoreConfig"]["TtlDuration"] == {"Unit": "Days", "Value": 30}
    assert group["OfflineStoreConfig"]["S3StorageConfig"]["S3Uri"] == "s3://my-bucket/team/features"
    assert template.of_type("AWS::S3::Bucket") == {}
    assert "my-bucket/team/features/*" in json.dumps(template.statements("FeaturesRole"))
    alarm = template.only("AWS::CloudWatch::Alarm")
    assert alarm["MetricName"] == "ThrottledRequests"
    assert len(alarm["AlarmActions"]) == 1


def test_grants_are_for_this_group_and_its_key(stack: cdk.Stack, synth: Synth) -> None:
    made = FeatureGroup(stack, "Features", feature_set=FEATURES, name="Turbines")
    for name, grant in (("Putter", made.grant_put), ("Getter", made.grant_get)):
        grant(iam.Role(stack, name, assumed_by=iam.ServicePrincipal("lambda.amazonaws.com")))
    template = synth(stack)
    assert template.actions("Putter") == {"kms:Decrypt", "kms:GenerateDataKey", "sagemaker:PutRecord"}
    assert template.actions("Getter") == {"kms:Decrypt", "sagemaker:BatchGetRecord", "sagemaker:GetRecord"}
    (put,) = [item for item in template.statements("Putter") if item["Action"] == "sagemaker:PutRecord"]
    assert put["Resource"]["Fn::Join"][1][-1].endswith(":feature-group/turbines")


def test_a_pipeline_feeds_it_last_with_the_features_of_its_table(stack: cdk.Stack, synth: Synth) -> None:
    lake, telemetry = lake_with_telemetry(stack)
    pipeline = LakePipeline(stack, "Pipeline", lake=lake, source=telemetry, feature_set=FEATURES)
    group = FeatureGroup(stack, "Features", feature_set=FEATURES)
    job = group.feed(pipeline)
    template = synth(stack)
    states = machine_of(template)["States"]
    assert (states["Features"]["Next"], states["Feed"]["Next"]) == ("Feed", "Published")
    (props,) = [
        item["Properties"] for id, item in template.of_type("AWS::Glue::Job").items() if id.startswith("FeaturesFeed")
    ]
    arguments = props["DefaultArguments"]
    assert arguments["--feature_group"] == group.name
    assert json.loads(arguments["--features"]) == list(FEATURES.names)
    assert arguments["--source"] == stack.resolve(f"{pipeline.features.database_name}.features")
    assert "sagemaker:PutRecord" in template.actions("FeaturesFeedRole")
    assert "s3:PutObject" not in template.actions("FeaturesFeedRole")
    assert job in pipeline.jobs


def test_fails_on_a_pipeline_of_other_features(stack: cdk.Stack) -> None:
    lake, telemetry = lake_with_telemetry(stack)
    pipeline = LakePipeline(stack, "Pipeline", lake=lake, source=telemetry, feature_set=FEATURES)
    other = FeatureSet.standard(sensors=[Sensor(name="pressure")])
    with pytest.raises(PropError, match="pipeline must compute the features .*pressure.* for feature group 'Features'"):
        FeatureGroup(stack, "Features", feature_set=other).feed(pipeline)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda stack: OnlineStore(expire_days=0), "expire_days must be positive for online store"),
        (
            lambda stack: OfflineStore(bucket=s3.Bucket.from_bucket_name(stack, "B", "my-bucket"), prefix="/a"),
            "prefix must be path levels without / at the ends",
        ),
        (lambda stack: FeatureGroup(stack, "F", feature_set=FEATURES, name="-a"), "name must be at most 64 letters"),
        (
            lambda stack: FeatureGroup(stack, "F", feature_set=FeatureSet.standard(sensors=[Sensor(name="_hidden")])),
            "feature_set must name features as Feature Store can for feature group",
        ),
    ],
)
def test_fails_on_what_feature_store_refuses(
    stack: cdk.Stack, make: Callable[[cdk.Stack], object], message: str
) -> None:
    with pytest.raises(PropError, match=message):
        make(stack)


def test_nag_is_clean(stack: cdk.Stack, nag: Callable[[cdk.Stack], list[str]]) -> None:
    lake, telemetry = lake_with_telemetry(stack)
    pipeline = LakePipeline(stack, "Pipeline", lake=lake, source=telemetry, feature_set=FEATURES)
    FeatureGroup(stack, "Features", feature_set=FEATURES).feed(pipeline)
    assert nag(stack) == []
