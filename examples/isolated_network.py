"""A network for containers without a way to the internet; one queue is reached, for sending only."""

from __future__ import annotations

import aws_cdk as cdk

from cdk_ml_lens import IsolatedNetwork, PrivateService


def build(app: cdk.App) -> cdk.Stack:
    """Build the stack."""
    stack = cdk.Stack(app, "IsolatedNetwork")
    # region: network
    results = stack.format_arn(service="sqs", resource="results")
    network = IsolatedNetwork(
        stack,
        "Network",
        services=[
            *PrivateService.for_containers(),
            PrivateService(service="sqs", actions=["sqs:SendMessage"], resources=[results]),
        ],
        zones=3,
        cidr="10.20.0.0/20",
    )
    # endregion
    cdk.CfnOutput(stack, "VpcId", value=network.vpc.vpc_id)
    return stack


if __name__ == "__main__":
    main = cdk.App()
    build(main)
    main.synth()
