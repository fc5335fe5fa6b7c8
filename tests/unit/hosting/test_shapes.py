"""Every shape of an endpoint: minimal, full, and what AWS excludes with its source."""

from __future__ import annotations

from collections.abc import Callable

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns

from cdk_ml_lens import (
    AsyncInference,
    Autoscaling,
    DataCapture,
    ModelArtifact,
    ModelEndpoint,
    ModelSource,
    MultiModelSource,
    PipelineSource,
    PropError,
    ServerlessVariant,
    Variant,
)
from tests.unit.templates import Template

Synth = Callable[[cdk.Stack], Template]
CONFIG = "AWS::SageMaker::EndpointConfig"


class VpcOnly:
    """A network as the protocol wants it: three attributes."""

    def __init__(self, stack: cdk.Stack) -> None:
        self.vpc = ec2.Vpc(stack, "Vpc", nat_gateways=0, max_azs=2)
        self.subnets = ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED)
        self.security_group = ec2.SecurityGroup(stack, "Group", vpc=self.vpc)


# --- serverless -------------------------------------------------------------------------------------------------


def test_serverless_minimal_has_no_capture_and_no_isolation(stack: cdk.Stack, model: ModelSource, synth: Synth) -> None:
    ModelEndpoint(stack, "E", variants=[ServerlessVariant(name="s", model=model)])
    template = synth(stack)
    config = template.only(CONFIG)
    assert "DataCaptureConfig" not in config
    (variant,) = config["ProductionVariants"]
    assert variant["ServerlessConfig"] == {"MemorySizeInMB": 2048, "MaxConcurrency": 20}
    assert "InstanceType" not in variant
    assert template.only("AWS::SageMaker::Model")["EnableNetworkIsolation"] is False


def test_serverless_full_scales_its_provisioned_concurrency(stack: cdk.Stack, model: ModelSource, synth: Synth) -> None:
    variant = ServerlessVariant(
        name="s",
        model=model,
        memory_mb=6144,
        max_concurrency=200,
        provisioned_concurrency=5,
        autoscaling=Autoscaling(max_capacity=50),
    )
    ModelEndpoint(stack, "E", variants=[variant])
    template = synth(stack)
    target = template.only("AWS::ApplicationAutoScaling::ScalableTarget")
    assert target["ScalableDimension"] == "sagemaker:variant:DesiredProvisionedConcurrency"
    policy = template.only("AWS::ApplicationAutoScaling::ScalingPolicy")["TargetTrackingScalingPolicyConfiguration"]
    assert policy["PredefinedMetricSpecification"]["PredefinedMetricType"] == (
        "SageMakerVariantProvisionedConcurrencyUtilization"
    )
    assert policy["TargetValue"] == 0.7


@pytest.mark.parametrize(
    ("props", "message"),
    [
        ({"memory_mb": 1500}, "memory_mb must be one of"),
        ({"max_concurrency": 201}, "max_concurrency must be between 1 and 200"),
        ({"max_concurrency": 2, "provisioned_concurrency": 3}, "provisioned_concurrency must be between 1 and 2"),
        ({"autoscaling": Autoscaling(max_capacity=2)}, "provisioned_concurrency must be given when it is autoscaled"),
    ],
)
def test_fails_on_a_bad_serverless_variant(model: ModelSource, props: dict[str, object], message: str) -> None:
    with pytest.raises(PropError, match=message):
        ServerlessVariant(name="s", model=model, **props)  # type: ignore[arg-type]


def test_fails_on_what_serverless_excludes_with_the_source(stack: cdk.Stack, bucket: s3.IBucket) -> None:
    artifact = ModelArtifact.from_bucket(bucket, "m.tar.gz")
    private = ModelSource.sklearn(artifact, network=VpcOnly(stack))
    with pytest.raises(PropError) as raised:
        ModelEndpoint(
            stack,
            "E",
            variants=[ServerlessVariant(name="s", model=private), Variant(name="v", model=private)],
            capture=DataCapture(percent=5),
            asynchronous=AsyncInference(),
        )
    faults = {fault.prop for fault in raised.value.faults}
    assert {"variants", "capture", "asynchronous", "network"} <= faults
    assert all("docs.aws.amazon.com" in str(fault.hint) for fault in raised.value.faults)


# --- shadow -----------------------------------------------------------------------------------------------------


def test_shadow_gets_copies_beside_one_variant(stack: cdk.Stack, model: ModelSource, synth: Synth) -> None:
    variants = [Variant(name="live", model=model), Variant(name="next", model=model, weight=0.5, shadow=True)]
    ModelEndpoint(stack, "E", variants=variants)
    config = synth(stack).only(CONFIG)
    assert [variant["VariantName"] for variant in config["ProductionVariants"]] == ["live"]
    assert [variant["VariantName"] for variant in config["ShadowProductionVariants"]] == ["next"]


def test_fails_on_a_shadow_that_is_not_one_beside_one(stack: cdk.Stack, model: ModelSource) -> None:
    shadow = Variant(name="s1", model=model, shadow=True)
    live = Variant(name="a", model=model)
    for variants in (
        [live, Variant(name="b", model=model), shadow],
        [live, shadow, Variant(name="s2", model=model, shadow=True)],
    ):
        with pytest.raises(PropError, match="shadow must be one variant beside one other .*API_CreateEndpointConfig"):
            ModelEndpoint(stack, "E", variants=variants)
    with pytest.raises(PropError, match="shadow must be on a real-time endpoint"):
        ModelEndpoint(stack, "E", variants=[live, shadow], asynchronous=AsyncInference())


# --- asynchronous -----------------------------------------------------------------------------------------------


def test_asynchronous_minimal_writes_answers_to_its_own_bucket(
    stack: cdk.Stack, model: ModelSource, synth: Synth
) -> None:
    ModelEndpoint(stack, "E", variants=[Variant(name="v", model=model)], asynchronous=AsyncInference())
    template = synth(stack)
    output = template.only(CONFIG)["AsyncInferenceConfig"]["OutputConfig"]
    assert "NotificationConfig" not in output
    assert "/async/answers/" in str(output["S3OutputPath"])
    assert "/async/failures/" in str(output["S3FailurePath"])
    assert {"s3:GetObject", "s3:PutObject"} <= template.actions("Execution")


def test_asynchronous_full_notifies_and_scales_from_zero_by_its_backlog(
    stack: cdk.Stack, model: ModelSource, synth: Synth
) -> None:
    scaled = Variant(name="v", model=model, autoscaling=Autoscaling(min_capacity=0, max_capacity=4, target=3))
    ModelEndpoint(
        stack,
        "E",
        variants=[scaled],
        asynchronous=AsyncInference(
            success_topic=sns.Topic(stack, "Good"), error_topic=sns.Topic(stack, "Bad"), max_concurrent_per_instance=2
        ),
    )
    template = synth(stack)
    config = template.only(CONFIG)["AsyncInferenceConfig"]
    assert set(config["OutputConfig"]["NotificationConfig"]) == {"SuccessTopic", "ErrorTopic"}
    assert config["ClientConfig"] == {"MaxConcurrentInvocationsPerInstance": 2}
    assert template.only("AWS::ApplicationAutoScaling::ScalableTarget")["MinCapacity"] == 0
    policies = {
        policy["Properties"]["PolicyType"]: policy["Properties"]
        for policy in template.of_type("AWS::ApplicationAutoScaling::ScalingPolicy").values()
    }
    tracking = policies["TargetTrackingScaling"]["TargetTrackingScalingPolicyConfiguration"]
    assert tracking["CustomizedMetricSpecification"]["MetricName"] == "ApproximateBacklogSizePerInstance"
    assert tracking["TargetValue"] == 3
    (waking,) = [
        alarm["Properties"]
        for alarm in template.of_type("AWS::CloudWatch::Alarm").values()
        if alarm["Properties"]["MetricName"] == "HasBacklogWithoutCapacity"
    ]
    assert waking["ComparisonOperator"] == "GreaterThanOrEqualToThreshold"  # 1 is the only bad value
    assert waking["AlarmActions"] == [{"Ref": next(id for id in template.resources if "OutOfZero" in id)}]


@pytest.mark.parametrize(
    ("props", "message"),
    [
        ({"prefix": "/a"}, "prefix must be path levels"),
        ({"max_concurrent_per_instance": 0}, "max_concurrent_per_instance must be between 1 and 1000"),
    ],
)
def test_fails_on_bad_async(props: dict[str, object], message: str) -> None:
    with pytest.raises(PropError, match=message):
        AsyncInference(**props)  # type: ignore[arg-type]


def test_fails_on_zero_instances_of_a_real_time_endpoint(stack: cdk.Stack, model: ModelSource) -> None:
    idle = Variant(name="v", model=model, autoscaling=Autoscaling(min_capacity=0, max_capacity=1))
    with pytest.raises(
        PropError, match="min_capacity must be at least 1 unless .*endpoint-auto-scaling-zero-instances"
    ):
        ModelEndpoint(stack, "E", variants=[idle])


# --- many models, chains, networks ------------------------------------------------------------------------------


def test_multi_model_reads_everything_below_its_prefix(stack: cdk.Stack, bucket: s3.IBucket, synth: Synth) -> None:
    many = MultiModelSource(bucket=bucket, prefix="fleet/models", cache=False)
    ModelEndpoint(stack, "E", variants=[Variant(name="v", model=many)])
    template = synth(stack)
    container = template.only("AWS::SageMaker::Model")["PrimaryContainer"]
    assert container["Mode"] == "MultiModel"
    assert container["ModelDataUrl"] == "s3://models/fleet/models/"
    assert container["MultiModelConfig"] == {"ModelCacheSetting": "Disabled"}
    assert {"s3:GetObject", "s3:ListBucket"} <= template.actions("Execution")
    with pytest.raises(PropError, match="prefix must be path levels"):
        MultiModelSource(bucket=bucket, prefix="a/")


def test_pipeline_chains_containers_in_order(stack: cdk.Stack, bucket: s3.IBucket, synth: Synth) -> None:
    stages = [ModelSource.sklearn(ModelArtifact.from_bucket(bucket, f"{name}.tar.gz")) for name in ("prepare", "score")]
    ModelEndpoint(stack, "E", variants=[Variant(name="v", model=PipelineSource(stages=stages))])
    made = synth(stack).only("AWS::SageMaker::Model")
    assert made["InferenceExecutionConfig"] == {"Mode": "Serial"}
    assert [c["ModelDataUrl"] for c in made["Containers"]] == ["s3://models/prepare.tar.gz", "s3://models/score.tar.gz"]
    with pytest.raises(PropError, match="stages must number 2 to 15 for inference pipeline, got 1"):
        PipelineSource(stages=stages[:1])


def test_model_in_a_vpc_may_make_its_interfaces(stack: cdk.Stack, bucket: s3.IBucket, synth: Synth) -> None:
    private = ModelSource.sklearn(ModelArtifact.from_bucket(bucket, "m.tar.gz"), network=VpcOnly(stack))
    ModelEndpoint(stack, "E", variants=[Variant(name="v", model=private)])
    template = synth(stack)
    assert len(template.only("AWS::SageMaker::Model")["VpcConfig"]["Subnets"]) == 2
    assert "ec2:CreateNetworkInterface" in template.actions("Execution")


# --- nag --------------------------------------------------------------------------------------------------------


def test_nag_is_clean_for_every_shape(
    stack: cdk.Stack, model: ModelSource, bucket: s3.IBucket, nag: Callable[[cdk.Stack], list[str]]
) -> None:
    scaled = Autoscaling(min_capacity=0, max_capacity=2)
    ModelEndpoint(stack, "Less", variants=[ServerlessVariant(name="s", model=model)])
    ModelEndpoint(
        stack, "Later", variants=[Variant(name="v", model=model, autoscaling=scaled)], asynchronous=AsyncInference()
    )
    ModelEndpoint(stack, "Many", variants=[Variant(name="v", model=MultiModelSource(bucket=bucket, prefix="p"))])
    assert nag(stack) == []
