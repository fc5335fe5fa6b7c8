"""InferenceComponent: on an endpoint without a model of its own, scaled by copies, down to zero."""

from __future__ import annotations

from collections.abc import Callable

import aws_cdk as cdk
import pytest

from cdk_ml_lens import (
    Autoscaling,
    ComponentResources,
    InferenceComponent,
    ModelEndpoint,
    ModelSource,
    PropError,
    Variant,
)
from tests.unit.templates import Template

Synth = Callable[[cdk.Stack], Template]


def host(stack: cdk.Stack) -> ModelEndpoint:
    scaled = Autoscaling(min_capacity=0, max_capacity=2)
    return ModelEndpoint(stack, "Host", variants=[Variant(name="shared", autoscaling=scaled)])


def test_minimal_is_placed_on_the_shared_variant(stack: cdk.Stack, model: ModelSource, synth: Synth) -> None:
    InferenceComponent(stack, "C", endpoint=host(stack), model=model, resources=ComponentResources(memory_mb=512))
    template = synth(stack)
    component = template.only("AWS::SageMaker::InferenceComponent")
    assert component["VariantName"] == "shared"
    assert component["RuntimeConfig"] == {"CopyCount": 1}
    needs = component["Specification"]["ComputeResourceRequirements"]
    assert needs == {"MinMemoryRequiredInMb": 512, "NumberOfCpuCoresRequired": 1}


def test_host_has_no_model_and_scales_its_instances_itself(stack: cdk.Stack, synth: Synth) -> None:
    host(stack)
    config = synth(stack).only("AWS::SageMaker::EndpointConfig")
    (variant,) = config["ProductionVariants"]
    assert "ModelName" not in variant
    assert variant["ManagedInstanceScaling"] == {"Status": "ENABLED", "MinInstanceCount": 0, "MaxInstanceCount": 2}
    assert "ExecutionRoleArn" in config
    assert config["EnableNetworkIsolation"] is True


def test_full_scales_copies_out_of_zero(stack: cdk.Stack, model: ModelSource, synth: Synth) -> None:
    InferenceComponent(
        stack,
        "C",
        endpoint=host(stack),
        model=model,
        resources=ComponentResources(memory_mb=512, cpus=2, accelerators=1),
        copies=2,
        autoscaling=Autoscaling(min_capacity=0, max_capacity=4, metric="concurrent_requests"),
    )
    template = synth(stack)
    target = template.only("AWS::ApplicationAutoScaling::ScalableTarget")
    assert target["ScalableDimension"] == "sagemaker:inference-component:DesiredCopyCount"
    assert target["MinCapacity"] == 0
    metrics = {alarm["Properties"]["MetricName"] for alarm in template.of_type("AWS::CloudWatch::Alarm").values()}
    assert "NoCapacityInvocationFailures" in metrics


@pytest.mark.parametrize(
    ("props", "message"),
    [
        ({"memory_mb": 64}, "memory_mb must be at least 128"),
        ({"memory_mb": 256, "cpus": 0}, "cpus must be at least 0.25"),
        ({"memory_mb": 256, "accelerators": -1}, "accelerators must be at least 0"),
    ],
)
def test_fails_on_bad_resources(props: dict[str, float], message: str) -> None:
    with pytest.raises(PropError, match=message):
        ComponentResources(**props)  # type: ignore[arg-type]


def test_fails_on_an_endpoint_with_a_model_of_its_own(stack: cdk.Stack, model: ModelSource) -> None:
    endpoint = ModelEndpoint(stack, "E", variants=[Variant(name="v", model=model)])
    with pytest.raises(PropError, match="endpoint must have a variant without a model for inference component"):
        InferenceComponent(stack, "C", endpoint=endpoint, model=model, resources=ComponentResources(memory_mb=512))


def test_nag_is_clean(stack: cdk.Stack, model: ModelSource, nag: Callable[[cdk.Stack], list[str]]) -> None:
    InferenceComponent(stack, "C", endpoint=host(stack), model=model, resources=ComponentResources(memory_mb=512))
    assert nag(stack) == []
