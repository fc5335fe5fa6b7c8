"""The one way to make a state machine of ours: definition in Python, logs of everything with KMS, traced."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from cdk_ml_lens.core import grants
from cdk_ml_lens.core.nag import acknowledge
from cdk_ml_lens.core.trust import of_this_account

# Log delivery has no resource types: https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html
_LOG_DELIVERY = (
    "logs:CreateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:DescribeLogGroups",
    "logs:DescribeResourcePolicies",
    "logs:GetLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:UpdateLogDelivery",
)
_TRACING = (
    "xray:GetSamplingRules",
    "xray:GetSamplingTargets",
    "xray:PutTelemetryRecords",
    "xray:PutTraceSegments",
)


class DefinedMachine(Construct):
    """A standard state machine with a role of its own; grant to ``role`` before the machine is used.

    Parameters
    ----------
    scope, id
        As for every construct.
    definition : mapping
        Amazon States Language; tokens are welcome.
    encryption_key : IKey
        Customer managed key of the log.

    Attributes
    ----------
    machine : CfnStateMachine
    role : Role
    """

    def __init__(self, scope: Construct, id: str, *, definition: Mapping[str, Any], encryption_key: kms.IKey) -> None:
        super().__init__(scope, id)
        stack = cdk.Stack.of(self)
        name = cdk.Names.unique_resource_name(self, max_length=80, separator="-")
        self.log_group = logs.LogGroup(
            self,
            "Logs",
            # This prefix keeps the resource policy of log delivery short: cw-logs.html, "resource policy size".
            log_group_name=f"/aws/vendedlogs/states/{name}",
            encryption_key=encryption_key,
            retention=logs.RetentionDays.THREE_MONTHS,
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
        self.role = iam.Role(self, "Role", assumed_by=of_this_account(self, "states.amazonaws.com"))
        grants.allow(self.role, [*_LOG_DELIVERY, *_TRACING], ["*"])
        acknowledge(
            self.role,
            "IAM5[Resource::*]",
            "Log delivery and X-Ray calls have no resource type in IAM; nothing else uses '*'.",
        )
        kind = sfn.CfnStateMachine
        self.machine = kind(
            self,
            "Machine",
            role_arn=self.role.role_arn,
            definition_string=stack.to_json_string(dict(definition)),
            logging_configuration=kind.LoggingConfigurationProperty(
                level="ALL",
                include_execution_data=True,
                destinations=[
                    kind.LogDestinationProperty(
                        cloud_watch_logs_log_group=kind.CloudWatchLogsLogGroupProperty(
                            log_group_arn=self.log_group.log_group_arn
                        )
                    )
                ],
            ),
            tracing_configuration=kind.TracingConfigurationProperty(enabled=True),
        )
        self.machine.node.add_dependency(self.role)

    @property
    def arn(self) -> str:
        """ARN of the machine."""
        return self.machine.ref

    def grant_start(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow ``states:StartExecution`` on this machine only."""
        return grants.allow(grantee, ["states:StartExecution"], [self.arn])

    def metric(self, name: str) -> cloudwatch.Metric:
        """Return one metric of the machine, in ``AWS/States``."""
        return cloudwatch.Metric(namespace="AWS/States", metric_name=name, dimensions_map={"StateMachineArn": self.arn})
