"""The role by which API Gateway writes logs: one setting of an account's region, made once per stack."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_iam as iam
from constructs import Construct

from cdk_ml_lens.core.nag import acknowledge, explain_policy, finding_of

CONTEXT = "cdk-ml-lens:apiGatewayLogRole"
_ID = "ApiGatewayLogging"
# Those of AmazonAPIGatewayPushToCloudWatchLogs, in this account and region only.
_ACTIONS = (
    "logs:CreateLogGroup",
    "logs:CreateLogStream",
    "logs:DescribeLogGroups",
    "logs:DescribeLogStreams",
    "logs:FilterLogEvents",
    "logs:GetLogEvents",
    "logs:PutLogEvents",
)


class ApiGatewayLogging(Construct):
    """Role and account setting. Both outlive the stack: other APIs of the region log by them.

    Notes
    -----
    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-logging.html
    """

    def __init__(self, scope: Construct, id: str) -> None:
        super().__init__(scope, id)
        stack = cdk.Stack.of(self)
        all_logs = f"arn:{stack.partition}:logs:{stack.region}:{stack.account}:*"
        write = iam.PolicyStatement(actions=list(_ACTIONS), resources=[all_logs])
        role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("apigateway.amazonaws.com"),
            inline_policies={"Write": iam.PolicyDocument(statements=[write])},  # it must outlive the stack as well
        )
        role.apply_removal_policy(cdk.RemovalPolicy.RETAIN)
        explain_policy(role)
        acknowledge(
            role,
            f"IAM5[{finding_of(self, all_logs)}]",
            "API Gateway has one role for the logs of all APIs of the account's region.",
        )
        self.account = apigateway.CfnAccount(self, "Account", cloud_watch_role_arn=role.role_arn)
        self.account.apply_removal_policy(cdk.RemovalPolicy.RETAIN)


def log_by_role(stage: apigateway.Stage) -> None:
    """Make the stage wait for the account's setting, unless the context says that somebody else keeps it."""
    stack = cdk.Stack.of(stage)
    if stack.node.try_get_context(CONTEXT) in (False, "false"):
        return
    found = stack.node.try_find_child(_ID)
    logging = found if isinstance(found, ApiGatewayLogging) else ApiGatewayLogging(stack, _ID)
    stage.node.add_dependency(logging.account)
