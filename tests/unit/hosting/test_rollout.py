"""Rollout: native guardrails, alarms before the update that they guard, a verified end, exclusions with sources."""

from __future__ import annotations

from collections.abc import Callable

import aws_cdk as cdk
import pytest
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sagemaker as sagemaker

from cdk_ml_lens import (
    InferenceImage,
    ModelArtifact,
    ModelEndpoint,
    ModelSource,
    PropError,
    RollbackAlarms,
    Rollout,
    ServerlessVariant,
    Variant,
    VerifiedRollout,
)
from tests.unit.templates import Template

Synth = Callable[[cdk.Stack], Template]
ENDPOINT = "AWS::SageMaker::Endpoint"


def make(stack: cdk.Stack, model: ModelSource, rollout: Rollout, **props: object) -> ModelEndpoint:
    return ModelEndpoint(stack, "E", variants=[Variant(name="v", model=model)], rollout=rollout, **props)  # type: ignore[arg-type]


def test_canary_shifts_a_share_then_the_rest(stack: cdk.Stack, model: ModelSource, synth: Synth) -> None:
    make(stack, model, Rollout.canary(percent=20, bake_minutes=5))
    deployment = synth(stack).only(ENDPOINT)["DeploymentConfig"]
    policy = deployment["BlueGreenUpdatePolicy"]
    assert policy["TrafficRoutingConfiguration"] == {
        "Type": "CANARY",
        "CanarySize": {"Type": "CAPACITY_PERCENT", "Value": 20},
        "WaitIntervalInSeconds": 300,
    }
    assert policy["TerminationWaitInSeconds"] == 300
    assert len(deployment["AutoRollbackConfiguration"]["Alarms"]) == 2


def test_linear_shifts_in_steps(stack: cdk.Stack, model: ModelSource, synth: Synth) -> None:
    make(stack, model, Rollout.linear(percent=25))
    routing = synth(stack).only(ENDPOINT)["DeploymentConfig"]["BlueGreenUpdatePolicy"]["TrafficRoutingConfiguration"]
    assert (routing["Type"], routing["LinearStepSize"]["Value"]) == ("LINEAR", 25)


def test_all_at_once_only_bakes(stack: cdk.Stack, model: ModelSource, synth: Synth) -> None:
    make(stack, model, Rollout.all_at_once(bake_minutes=7))
    policy = synth(stack).only(ENDPOINT)["DeploymentConfig"]["BlueGreenUpdatePolicy"]
    assert policy["TrafficRoutingConfiguration"] == {"Type": "ALL_AT_ONCE"}
    assert policy["TerminationWaitInSeconds"] == 420


def test_rolling_replaces_batches(stack: cdk.Stack, model: ModelSource, synth: Synth) -> None:
    make(stack, model, Rollout.rolling(percent=10))
    deployment = synth(stack).only(ENDPOINT)["DeploymentConfig"]
    assert deployment["RollingUpdatePolicy"]["MaximumBatchSize"] == {"Type": "CAPACITY_PERCENT", "Value": 10}
    assert "BlueGreenUpdatePolicy" not in deployment


def test_alarms_and_policies_exist_before_the_endpoint(stack: cdk.Stack, model: ModelSource, synth: Synth) -> None:
    make(stack, model, Rollout.canary())
    template = synth(stack)
    (endpoint_id,) = template.of_type(ENDPOINT)
    before = template.depends_on(endpoint_id)
    guards = {id for id in template.of_type("AWS::CloudWatch::Alarm") if "Rollback" in id}
    assert len(guards) == 2
    assert guards <= before
    assert {id for id in template.of_type("AWS::IAM::Policy") if "Execution" in id} <= before


def test_full_watches_every_variant_and_the_callers_alarm(stack: cdk.Stack, model: ModelSource, synth: Synth) -> None:
    own = cloudwatch.Alarm.from_alarm_arn(stack, "Own", "arn:aws:cloudwatch:eu-west-1:111122223333:alarm:conversion")
    alarms = RollbackAlarms(
        server_error_rate=0.05,
        client_error_rate=0.2,
        latency_p99_ms=250,
        overhead_p99_ms=50,
        silence=True,
        own=(own,),
    )
    endpoint = make(stack, model, Rollout.canary(alarms=alarms))
    assert len(endpoint.rollback_alarms) == 5
    template = synth(stack)
    guards = {
        res["Properties"]["MetricName"]: res["Properties"]
        for id, res in template.of_type("AWS::CloudWatch::Alarm").items()
        if "Rollback" in id
    }
    assert guards["Invocation5XXErrors"]["Threshold"] == 0.05
    assert guards["Invocation5XXErrors"]["Statistic"] == "Average"  # 0 or 1 per request: the average is the rate
    assert guards["ModelLatency"]["Threshold"] == 250_000  # microseconds
    assert guards["OverheadLatency"]["ExtendedStatistic"] == "p99"
    assert guards["Invocations"]["TreatMissingData"] == "breaching"
    names = template.only(ENDPOINT)["DeploymentConfig"]["AutoRollbackConfiguration"]["Alarms"]
    assert len(names) == 6
    assert {"AlarmName": "conversion"} in names


def test_verification_follows_the_endpoint_and_every_new_configuration(
    stack: cdk.Stack, model: ModelSource, synth: Synth
) -> None:
    make(stack, model, Rollout.canary())
    template = synth(stack)
    ((check_id, check),) = template.of_type("Custom::VerifiedRollout").items()
    (endpoint_id,) = template.of_type(ENDPOINT)
    (config_id,) = template.of_type("AWS::SageMaker::EndpointConfig")
    assert endpoint_id in template.depends_on(check_id)
    assert check["Properties"]["EndpointConfigName"] == {"Fn::GetAtt": [config_id, "EndpointConfigName"]}
    assert "sagemaker:DescribeEndpoint" in template.actions("Checker")


def test_fails_on_what_is_no_endpoint_arn(stack: cdk.Stack) -> None:
    endpoint = sagemaker.CfnEndpoint(stack, "Endpoint", endpoint_config_name="config")
    config = sagemaker.CfnEndpointConfig(stack, "Config", production_variants=[])
    with pytest.raises(PropError, match="endpoint_arn must be the ARN of a SageMaker endpoint"):
        VerifiedRollout(
            stack,
            "Verified",
            endpoint=endpoint,
            config=config,
            endpoint_arn="turbines",
            encryption_key=kms.Key(stack, "Key"),
        )


@pytest.mark.parametrize(
    ("make_rollout", "message"),
    [
        (lambda: Rollout.canary(percent=51), "percent must be between 1 and 50 for rollout CANARY, got 51"),
        (lambda: Rollout.linear(percent=5), "percent must be between 10 and 50"),
        (lambda: Rollout.rolling(percent=60), "percent must be between 5 and 50"),
        (lambda: Rollout.all_at_once(bake_minutes=61), "bake_minutes must be between 0 and 60"),
        (lambda: RollbackAlarms(server_error_rate=2), "server_error_rate must be between 0 and 1"),
        (lambda: RollbackAlarms(latency_p99_ms=0), "latency_p99_ms must be over 0"),
    ],
)
def test_fails_out_of_range(make_rollout: Callable[[], object], message: str) -> None:
    with pytest.raises(PropError, match=message):
        make_rollout()


def test_fails_on_what_guardrails_exclude_with_the_source(
    stack: cdk.Stack, model: ModelSource, bucket: s3.IBucket
) -> None:
    def refusal(variants: list[Variant | ServerlessVariant], rollout: Rollout) -> str:
        with pytest.raises(PropError) as raised:
            ModelEndpoint(stack, "E", variants=variants, rollout=rollout)
        assert "deployment-guardrails-exclusions.html" in str(raised.value)
        return str(raised.value)

    two: list[Variant | ServerlessVariant] = [Variant(name="a", model=model), Variant(name="b", model=model)]
    assert "not be rolling with several variants" in refusal(two, Rollout.rolling())
    assert "be None when serverless" in refusal([ServerlessVariant(name="s", model=model)], Rollout.canary())
    inf1 = Variant(name="v", model=model, instance_type="ml.inf1.xlarge")
    assert "be None on Inf1 instances" in refusal([inf1], Rollout.canary())
    image = InferenceImage(repository="sold", tag="1", marketplace=True)
    sold = ModelSource(image=image, artifact=ModelArtifact.from_bucket(bucket, "m.tar.gz"))
    assert "be None for marketplace containers" in refusal([Variant(name="v", model=sold)], Rollout.canary())
    assert "keep their names ('old',)" in refusal([two[0]], Rollout.canary(replaces=("old",)))


def test_fails_on_more_alarms_than_sagemaker_takes(stack: cdk.Stack, model: ModelSource) -> None:
    variants = [Variant(name=f"v{number}", model=model) for number in range(6)]
    with pytest.raises(
        PropError, match="alarms must number at most 10 for rollout, got 12; see API_AutoRollbackConfig"
    ):
        ModelEndpoint(stack, "E", variants=variants, rollout=Rollout.canary())


def test_nag_is_clean(stack: cdk.Stack, model: ModelSource, nag: Callable[[cdk.Stack], list[str]]) -> None:
    make(stack, model, Rollout.canary())
    assert nag(stack) == []
