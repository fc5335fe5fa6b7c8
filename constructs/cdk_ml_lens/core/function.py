"""The one way to make a Lambda function of ours: arm64, traced, logged with KMS, with a role of its own."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from cdk_ml_lens.core import function_network
from cdk_ml_lens.core.assets import bundled
from cdk_ml_lens.core.nag import acknowledge, explain, explain_policy
from cdk_ml_lens.core.refs import PrivateNetwork

_UNSCOPED = (
    "xray:PutTraceSegments and xray:PutTelemetryRecords have no resource type in IAM, nor have, in a VPC, "
    "ec2:DescribeNetworkInterfaces and ec2:DescribeSubnets; no other statement of this role uses '*'."
)
_IGNORED_FILES = ["**/__pycache__", "**/*.pyc", "**/.*_cache"]


@cache
def _runtime() -> lambda_.Runtime:
    """Newest managed Python; read once because each static read crosses to the jsii kernel."""
    return lambda_.Runtime.PYTHON_3_14


class HandlerFunction(Construct):
    """One handler of ``lambda_src/handlers`` as a Lambda function with its role and log group.

    Parameters
    ----------
    scope, id
        As for every construct.
    handler : str
        Module name below ``lambda_src/handlers``; its function is called ``handler``.
    environment : mapping of str to str
        Environment variables. They are encrypted with ``encryption_key``.
    encryption_key : IKey
        Customer managed key for environment and logs. If you bring your own, its policy must let
        ``logs.<region>.amazonaws.com`` use it.
    timeout_seconds : int
        Longest run, in seconds. Default: 30.
    memory_mb : int
        Memory, in MiB. Default: 512.
    reserved_concurrency : int, optional
        Most copies that run at once, taken from the account's pool. Default: no reservation.
    network : PrivateNetwork, optional
        Where it runs. It reaches only what the network reaches. Default: Lambda's own network, with the internet.

    Notes
    -----
    The role holds no managed policy. The log group is ours, so nothing may create one without KMS or retention.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        handler: str,
        environment: Mapping[str, str],
        encryption_key: kms.IKey,
        timeout_seconds: int = 30,
        memory_mb: int = 512,
        reserved_concurrency: int | None = None,
        network: PrivateNetwork | None = None,
    ) -> None:
        super().__init__(scope, id)
        explain(self, _open_by_default(network, reserved_concurrency))
        self.log_group = logs.LogGroup(
            self,
            "Logs",
            encryption_key=encryption_key,
            retention=logs.RetentionDays.THREE_MONTHS,
            removal_policy=cdk.RemovalPolicy.RETAIN,
        )
        self.role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
        explain_policy(self.role)
        self.log_group.grant_write(self.role)
        self.in_network = False
        self.reserved_concurrency = reserved_concurrency
        self.function = lambda_.Function(
            self,
            "Function",
            runtime=_runtime(),
            architecture=lambda_.Architecture.ARM_64,
            code=lambda_.Code.from_asset(str(bundled("lambda_src")), exclude=_IGNORED_FILES),
            handler=f"handlers.{handler}.handler",
            role=self.role,
            environment=dict(environment),
            environment_encryption=encryption_key,
            timeout=cdk.Duration.seconds(timeout_seconds),
            memory_size=memory_mb,
            log_group=self.log_group,
            logging_format=lambda_.LoggingFormat.JSON,
            tracing=lambda_.Tracing.ACTIVE,
            reserved_concurrent_executions=reserved_concurrency,
        )
        acknowledge(self.role, "IAM5[Resource::*]", _UNSCOPED)
        if network is not None:
            self.place_in(network)

    def place_in(self, network: PrivateNetwork) -> None:
        """Move the function into a network, with what Lambda itself needs for that; once only.

        Parameters
        ----------
        network : PrivateNetwork
            Where it runs from then on. It reaches only what the network reaches.
        """
        if not self.in_network:
            self.in_network = True
            function_network.allow_interfaces(self.role, network)
            function_network.attach(self.function, network)
            function_network.deny_code(self, self.role, self.function)

    def reserve(self, copies: int) -> None:
        """Take ``copies`` from the account's pool for this function, unless it has a reservation of its own."""
        if self.reserved_concurrency is None:
            self.reserved_concurrency = copies
            resource = self.function.node.default_child
            assert isinstance(resource, lambda_.CfnFunction)
            resource.reserved_concurrent_executions = copies

    def answers(self, caller: str) -> None:
        """Note that ``caller`` waits for each answer: a dead-letter queue takes asynchronous calls only.

        Source: https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
        """
        reason = f"{caller} waits for the answer and handles the error; a dead-letter queue takes only calls without."
        explain(self, {"LambdaDLQ": reason})


def _open_by_default(network: PrivateNetwork | None, reserved_concurrency: int | None) -> dict[str, str]:
    reasons = {}
    if network is None:
        reasons["LambdaInsideVPC"] = (
            "The function calls AWS services only, over TLS and with exact permissions, and nothing can call in. A VPC "
            "needs paid endpoints for each of these services: harden(network=) puts every function into one."
        )
    if reserved_concurrency is None:
        reasons["LambdaConcurrency"] = (
            "A reservation takes copies from all other functions of the account, so its size is the account's affair; "
            "what calls the function limits it. harden(reserved_concurrency=) reserves."
        )
    return reasons
