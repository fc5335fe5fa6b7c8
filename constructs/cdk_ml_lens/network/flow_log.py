"""FlowLog: who talked to whom in a VPC, in an encrypted log group."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from constructs import Construct

from cdk_ml_lens.core import grants


class FlowLog(Construct):
    """All traffic of a VPC, accepted and rejected, kept 90 days.

    Parameters
    ----------
    scope, id
        As for every construct.
    vpc_id : str
        The VPC.
    encryption_key : IKey
        Customer managed key of the log group; its policy must let CloudWatch Logs use it.

    Notes
    -----
    Source: https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-iam-role.html. Lens best practice MLSEC06-BP02.
    """

    def __init__(self, scope: Construct, id: str, *, vpc_id: str, encryption_key: kms.IKey) -> None:
        super().__init__(scope, id)
        stack = cdk.Stack.of(self)
        self.log_group = logs.LogGroup(
            self,
            "Logs",
            encryption_key=encryption_key,
            retention=logs.RetentionDays.THREE_MONTHS,
            removal_policy=cdk.RemovalPolicy.RETAIN,
        )
        own = {
            "StringEquals": {"aws:SourceAccount": stack.account},
            "ArnLike": {
                "aws:SourceArn": stack.format_arn(service="ec2", resource="vpc-flow-log", resource_name="*"),
            },
        }
        role = iam.Role(
            self, "Role", assumed_by=iam.ServicePrincipal("vpc-flow-logs.amazonaws.com").with_conditions(own)
        )
        actions = ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"]
        grants.allow(role, actions, [self.log_group.log_group_arn])
        flow_log = ec2.CfnFlowLog(
            self,
            "FlowLog",
            resource_id=vpc_id,
            resource_type="VPC",
            traffic_type="ALL",
            log_destination_type="cloud-watch-logs",
            log_group_name=self.log_group.log_group_name,
            deliver_logs_permission_arn=role.role_arn,
        )
        flow_log.node.add_dependency(role)
