"""NetworkReference: somebody else's private subnets, as constructs of ours take them."""

from __future__ import annotations

from dataclasses import dataclass

from aws_cdk import aws_ec2 as ec2


@dataclass(frozen=True, kw_only=True)
class NetworkReference:
    """A network that something else made; it meets the protocol `PrivateNetwork`.

    Parameters
    ----------
    vpc : IVpc
        The VPC.
    subnets : SubnetSelection
        Its subnets to use. They must reach the services that the constructs in them call.
    security_group : ISecurityGroup
        Security group of what is placed there.
    """

    vpc: ec2.IVpc
    subnets: ec2.SubnetSelection
    security_group: ec2.ISecurityGroup
