"""Puts a Lambda function into private subnets, with what Lambda itself needs for that and nothing for its code."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from cdk_ml_lens.core import grants
from cdk_ml_lens.core.nag import acknowledge, explain_policy, finding_of
from cdk_ml_lens.core.refs import PrivateNetwork

_CHANGE = ("ec2:DeleteNetworkInterface", "ec2:AssignPrivateIpAddresses", "ec2:UnassignPrivateIpAddresses")
_DESCRIBE = ("ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets")


def subnet_ids(network: PrivateNetwork) -> list[str]:
    """Return the ids of the network's subnets."""
    chosen = network.subnets
    selected = network.vpc.select_subnets(
        subnets=chosen.subnets, subnet_type=chosen.subnet_type, subnet_group_name=chosen.subnet_group_name
    )
    return list(selected.subnet_ids)


def allow_interfaces(role: iam.Role, network: PrivateNetwork) -> None:
    """Let Lambda make its network interfaces in the network's subnets, under its security groups.

    The managed policy AWSLambdaVPCAccessExecutionRole allows the same on every resource, and more. Deleting must be
    allowed on all interfaces of the account and region: their ids are not known before. Source:
    https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html#configuration-vpc-permissions
    """
    stack = cdk.Stack.of(role)

    def ec2(resource: str, name: str) -> str:
        return stack.format_arn(service="ec2", resource=resource, resource_name=name)

    created, changed = ec2("network-interface", "*"), ec2("*", "*")
    subnets = [ec2("subnet", subnet) for subnet in subnet_ids(network)]
    group = ec2("security-group", network.security_group.security_group_id)
    grants.allow(role, ["ec2:CreateNetworkInterface"], [created, *subnets, group])
    grants.allow(role, _CHANGE, [changed])
    grants.allow(role, _DESCRIBE, ["*"])
    acknowledge(role, f"IAM5[{finding_of(role, created)}]", "Lambda makes the interface; its id is not known before.")
    acknowledge(
        role,
        f"IAM5[{finding_of(role, changed)}]",
        "Lambda's documentation asks for this; see the deny policy.",
    )


def deny_code(scope: Construct, role: iam.Role, function: lambda_.Function) -> iam.Policy:
    """Deny the function's own code what only Lambda needs. The policy is made after the function.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/permissions-source-function-arn.html: the key is in the context
    of calls from the code, not of Lambda's own calls for network interfaces.
    """
    statement = iam.PolicyStatement(
        effect=iam.Effect.DENY,
        actions=["ec2:CreateNetworkInterface", *_CHANGE, *_DESCRIBE],
        resources=["*"],
        conditions={"ArnEquals": {"lambda:SourceFunctionArn": function.function_arn}},
    )
    policy = iam.Policy(scope, "NoNetworkCalls", roles=[role], statements=[statement])
    explain_policy(policy)
    return policy


def attach(function: lambda_.Function, network: PrivateNetwork) -> None:
    """Connect the function; through L1, because the L2 also makes its own reading of routes and public subnets."""
    resource = function.node.default_child
    assert isinstance(resource, lambda_.CfnFunction)
    resource.vpc_config = lambda_.CfnFunction.VpcConfigProperty(
        subnet_ids=subnet_ids(network), security_group_ids=[network.security_group.security_group_id]
    )
