"""A stack with what constructs need of each other: things that exist already are imported, the rest is made once."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kinesis as kinesis
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sagemaker as sagemaker
from aws_cdk import aws_sns as sns
from aws_cdk import aws_stepfunctions as sfn

import cdk_ml_lens as ml
from cdk_ml_lens.network.reference import NetworkReference

ACCOUNT = "111122223333"
COLUMNS = (("reading_id", "string"), ("device_id", "string"), ("event_time", "timestamp"), ("received_at", "timestamp"))


class Place:
    """One stack; every attribute is made at its first use."""

    def __init__(self, stack: cdk.Stack) -> None:
        self.stack = stack

    @cached_property
    def key(self) -> kms.IKey:
        return kms.Key.from_key_arn(self.stack, "TheirKey", f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/theirs")

    @cached_property
    def bucket(self) -> s3.IBucket:
        return s3.Bucket.from_bucket_attributes(self.stack, "Theirs", bucket_name="theirs", encryption_key=self.key)

    @cached_property
    def topic(self) -> sns.ITopic:
        return sns.Topic.from_topic_arn(self.stack, "TheirTopic", f"arn:aws:sns:eu-west-1:{ACCOUNT}:theirs")

    @cached_property
    def role(self) -> iam.IRole:
        return iam.Role.from_role_name(self.stack, "TheirRole", "theirs")

    @cached_property
    def function(self) -> lambda_.IFunction:
        return lambda_.Function.from_function_name(self.stack, "TheirFunction", "theirs")

    @cached_property
    def machine(self) -> sfn.IStateMachine:
        return sfn.StateMachine.from_state_machine_name(self.stack, "TheirMachine", "theirs")

    @cached_property
    def bus(self) -> events.IEventBus:
        return events.EventBus.from_event_bus_name(self.stack, "TheirBus", "theirs")

    @cached_property
    def stream(self) -> kinesis.IStream:
        return kinesis.Stream.from_stream_arn(
            self.stack, "TheirStream", f"arn:aws:kinesis:eu-west-1:{ACCOUNT}:stream/theirs"
        )

    @cached_property
    def metric(self) -> cloudwatch.Metric:
        return cloudwatch.Metric(namespace="Pumps", metric_name="WrongAlerts", statistic="Sum")

    @cached_property
    def alarm(self) -> cloudwatch.Alarm:
        return cloudwatch.Alarm(self.stack, "TheirAlarm", metric=self.metric, threshold=1, evaluation_periods=1)

    @cached_property
    def network(self) -> NetworkReference:
        vpc = ec2.Vpc.from_vpc_attributes(
            self.stack,
            "TheirVpc",
            vpc_id="vpc-1",
            availability_zones=["a", "b"],
            isolated_subnet_ids=["subnet-1", "subnet-2"],
            isolated_subnet_route_table_ids=["rtb-1", "rtb-2"],
        )
        group = ec2.SecurityGroup.from_security_group_id(self.stack, "TheirGroup", "sg-1")
        chosen = ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED)
        return NetworkReference(vpc=vpc, subnets=chosen, security_group=group)

    @cached_property
    def isolated(self) -> ml.IsolatedNetwork:
        return ml.IsolatedNetwork(self.stack, "Isolated", services=ml.PrivateService.for_workbench("notebook"))

    @cached_property
    def model(self) -> ml.ModelSource:
        return ml.ModelSource.sklearn(ml.ModelArtifact.from_bucket(self.bucket, "model.tar.gz"))

    @cached_property
    def endpoint(self) -> Any:
        return ml.ModelEndpoint.from_endpoint_name(self.stack, "pumps")

    @cached_property
    def host(self) -> ml.ModelEndpoint:
        return ml.ModelEndpoint(self.stack, "Host", variants=[ml.Variant(name="shared")])

    @cached_property
    def features(self) -> ml.FeatureSet:
        return ml.FeatureSet.standard(sensors=[ml.Sensor(name="temperature")])

    @cached_property
    def lake(self) -> ml.DataLake:
        return ml.DataLake(self.stack, "Lake")

    @cached_property
    def table(self) -> Any:
        columns = [ml.Column(name=name, type=kind) for name, kind in (*COLUMNS, ("temperature", "double"))]
        made = ml.Table(name="telemetry", columns=columns, partitions=[ml.Partition.date()])
        return self.lake.add_table(made)

    @cached_property
    def prepared(self) -> Any:
        return self.lake.add_table(ml.Table(name="prepared", columns=[ml.Column(name="x")], versioned=True), zone="raw")

    @cached_property
    def fleet(self) -> ml.DeviceFleet:
        return ml.DeviceFleet(self.stack, "Fleet")

    @cached_property
    def preparation(self) -> ml.LakePipeline:
        return ml.LakePipeline(self.stack, "Preparation", lake=self.lake, source=self.table, feature_set=self.features)

    @cached_property
    def datasets(self) -> ml.DatasetSource:
        return ml.DatasetSource(bucket=self.bucket)

    @cached_property
    def registry(self) -> Any:
        return ml.ModelRegistry.from_names(self.stack, group_name="Pumps", bucket=self.bucket, encryption_key=self.key)

    @cached_property
    def gate(self) -> ml.ModelGate:
        return ml.ModelGate(bounds=[ml.MetricBound(metric="alert_rate", bound=0.05, direction="at_most")])

    @cached_property
    def captures(self) -> ml.CaptureSource:
        return ml.CaptureSource(bucket=self.bucket, endpoint_name="pumps", variant_name="primary")

    @cached_property
    def baseline(self) -> ml.Baseline:
        return ml.Baseline(self.stack, "Baseline", datasets=self.datasets, bucket=self.bucket)

    @cached_property
    def request(self) -> ml.SyntheticRequest:
        return ml.SyntheticRequest(body={"features": [1.0]}, expect=ml.AnswerCheck(path="score", minimum=0))

    @cached_property
    def training(self) -> ml.TrainingPipeline:
        return ml.TrainingPipeline(
            self.stack,
            "Training",
            algorithm=ml.Algorithm.isolation_forest(),
            datasets=self.datasets,
            registry=self.registry,
            gate=self.gate,
        )

    @cached_property
    def deployment(self) -> ml.ApprovedDeployment:
        return ml.ApprovedDeployment(self.stack, "Deployment", registry=self.registry, verification=self.request)

    @cached_property
    def ingest(self) -> ml.StreamIngest:
        table = self.lake.add_table(ml.telemetry_table([ml.Sensor(name="temperature")], name="ingested"))
        return ml.StreamIngest(self.stack, "Ingest", table=table)

    @cached_property
    def sql(self) -> ml.RuleSql:
        return ml.RuleSql(topic_filter="devices/+/telemetry")

    @cached_property
    def scoring(self) -> ml.Scoring:
        return ml.Scoring(endpoint=self.endpoint, features=[ml.Feature(name="temperature")])

    @cached_property
    def config(self) -> sagemaker.CfnEndpointConfig:
        variant = sagemaker.CfnEndpointConfig.ProductionVariantProperty(variant_name="a", model_name="a")
        return sagemaker.CfnEndpointConfig(self.stack, "TheirConfig", production_variants=[variant])

    @cached_property
    def cfn_endpoint(self) -> sagemaker.CfnEndpoint:
        name = self.config.attr_endpoint_config_name
        return sagemaker.CfnEndpoint(self.stack, "TheirEndpoint", endpoint_config_name=name)
