"""Autoscaling: every variant under ids of its own, the right metric, bounds that fit."""

from __future__ import annotations

from collections.abc import Callable

import aws_cdk as cdk
import pytest

from cdk_ml_lens import Autoscaling, ModelEndpoint, ModelSource, PropError, ScheduledCapacity, Variant, load_test_sizing
from tests.unit.templates import Template

TARGET = "AWS::ApplicationAutoScaling::ScalableTarget"
POLICY = "AWS::ApplicationAutoScaling::ScalingPolicy"


def test_two_variants_scale_on_their_own(
    stack: cdk.Stack, model: ModelSource, synth: Callable[[cdk.Stack], Template]
) -> None:
    variants = [
        Variant(name="blue", model=model, autoscaling=Autoscaling(max_capacity=4, target=600)),
        Variant(name="green", model=model, autoscaling=Autoscaling(max_capacity=8, metric="concurrent_requests")),
    ]
    ModelEndpoint(stack, "E", variants=variants, endpoint_name="anomaly")
    template = synth(stack)
    targets = [res["Properties"] for res in template.of_type(TARGET).values()]
    assert {target["ResourceId"] for target in targets} == {
        "endpoint/anomaly/variant/blue",
        "endpoint/anomaly/variant/green",
    }
    metrics = {
        policy["Properties"]["TargetTrackingScalingPolicyConfiguration"]["PredefinedMetricSpecification"][
            "PredefinedMetricType"
        ]
        for policy in template.of_type(POLICY).values()
    }
    assert metrics == {
        "SageMakerVariantInvocationsPerInstance",
        "SageMakerVariantConcurrentRequestsPerModelHighResolution",
    }
    (endpoint_id,) = template.of_type("AWS::SageMaker::Endpoint")
    assert all(endpoint_id in template.depends_on(id) for id in template.of_type(TARGET))


def test_autoscaled_endpoint_keeps_its_counts_on_update(
    stack: cdk.Stack, model: ModelSource, synth: Callable[[cdk.Stack], Template]
) -> None:
    ModelEndpoint(stack, "E", variants=[Variant(name="v", model=model, autoscaling=Autoscaling(max_capacity=2))])
    assert synth(stack).only("AWS::SageMaker::Endpoint")["RetainAllVariantProperties"] is True


def test_fixed_endpoint_takes_the_counts_of_the_template(
    stack: cdk.Stack, model: ModelSource, synth: Callable[[cdk.Stack], Template]
) -> None:
    ModelEndpoint(stack, "E", variants=[Variant(name="v", model=model)])
    assert "RetainAllVariantProperties" not in synth(stack).only("AWS::SageMaker::Endpoint")


def test_schedule_scales_down_at_night(
    stack: cdk.Stack, model: ModelSource, synth: Callable[[cdk.Stack], Template]
) -> None:
    night = ScheduledCapacity(cron="0 20 * * ? *", min_capacity=1, max_capacity=1, timezone="Europe/Berlin")
    scaled = Autoscaling(min_capacity=2, max_capacity=4, availability="high", schedule=(night,))
    ModelEndpoint(stack, "E", variants=[Variant(name="v", model=model, autoscaling=scaled)])
    (action,) = synth(stack).only(TARGET)["ScheduledActions"]
    assert action["Schedule"] == "cron(0 20 * * ? *)"
    assert action["Timezone"] == "Europe/Berlin"
    assert action["ScalableTargetAction"] == {"MinCapacity": 1, "MaxCapacity": 1}


@pytest.mark.parametrize(
    ("props", "message"),
    [
        ({"min_capacity": -1, "max_capacity": 1}, "min_capacity must be at least 0"),
        ({"min_capacity": 3, "max_capacity": 2}, "max_capacity must be at least min_capacity"),
        ({"max_capacity": 2, "availability": "high"}, "min_capacity must be at least 2 when availability is 'high'"),
        ({"max_capacity": 2, "target": 0}, "target must be over 0"),
    ],
)
def test_fails_on_bounds_that_do_not_fit(props: dict[str, object], message: str) -> None:
    with pytest.raises(PropError, match=message):
        Autoscaling(**props)  # type: ignore[arg-type]


def test_fails_on_a_schedule_that_is_no_cron() -> None:
    with pytest.raises(PropError, match="cron must have six fields"):
        ScheduledCapacity(cron="* * *", min_capacity=0, max_capacity=1)
    with pytest.raises(PropError, match="min_capacity must be between 0 and 1"):
        ScheduledCapacity(cron="0 20 * * ? *", min_capacity=2, max_capacity=1)


def test_fails_on_a_burstable_instance_that_is_autoscaled(model: ModelSource) -> None:
    with pytest.raises(PropError, match="instance_type must not be burstable when autoscaled .*endpoint-auto-scaling"):
        Variant(name="v", model=model, instance_type="ml.t2.medium", autoscaling=Autoscaling(max_capacity=2))
    Variant(name="v", model=model, instance_type="ml.t2.medium")


def test_sizing_is_requests_per_minute_with_a_margin() -> None:
    assert load_test_sizing(max_requests_per_second=20, safety_factor=0.5) == 600
    with pytest.raises(PropError, match="safety_factor must be over 0 and at most 1"):
        load_test_sizing(max_requests_per_second=20, safety_factor=0)
    with pytest.raises(PropError, match="max_requests_per_second must be over 0"):
        load_test_sizing(max_requests_per_second=0)
