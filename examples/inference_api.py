"""An endpoint over HTTPS: for services that sign, behind a firewall; and for one partner with a key."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_iam as iam

from cdk_ml_lens import (
    ApiAccess,
    ApiLimits,
    Feature,
    Firewall,
    InferenceApi,
    InferenceContract,
    IsolatedNetwork,
    ModelEndpoint,
    NotifyTopic,
    harden,
)


def build(app: cdk.App) -> cdk.Stack:
    """Build the stack."""
    stack = cdk.Stack(app, "InferenceApi")
    endpoint = ModelEndpoint.from_endpoint_name(stack, "turbine-anomalies")
    # region: contract
    contract = InferenceContract.of_features(
        [Feature(name="temperature", minimum=-60, maximum=200), Feature(name="vibration", minimum=0)],
        max_instances=50,
    )
    # endregion
    # region: api
    network = IsolatedNetwork(stack, "Network")
    api = InferenceApi(
        stack,
        "Api",
        endpoint=endpoint,
        contract=contract,
        network=network,
        access=ApiAccess.iam(firewall=Firewall.managed(requests_per_5_minutes=5_000)),
        alarm_topic=NotifyTopic(stack, "Alarms").topic,
    )
    # endregion
    # region: caller
    caller = iam.Role(stack, "Caller", assumed_by=iam.ServicePrincipal("ecs-tasks.amazonaws.com"))
    api.grant_invoke(caller)
    # endregion
    # region: partner
    partner = InferenceApi(
        stack,
        "PartnerApi",
        endpoint=endpoint,
        contract=InferenceContract.of_schema(
            {
                "type": "object",
                "required": ["temperature"],
                "properties": {"temperature": {"type": "number"}, "comment": {"type": "string", "maxLength": 200}},
                "additionalProperties": False,
            },
            model_version="2026-01",
        ),
        network=network,
        access=ApiAccess.api_key(clients=["partner"], requests_per_day=10_000),
        limits=ApiLimits(requests_per_second=5, burst=10, max_body_bytes=4_096, model_seconds=5),
    )
    # endregion
    cdk.CfnOutput(stack, "Url", value=api.url)
    cdk.CfnOutput(stack, "PartnerUrl", value=partner.url)
    harden(stack, alarm_topic=NotifyTopic(stack, "Told").topic)
    return stack


if __name__ == "__main__":
    main = cdk.App()
    build(main)
    main.synth()
