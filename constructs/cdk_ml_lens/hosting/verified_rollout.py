"""VerifiedRollout: fails the deployment when an update was silently rolled back."""

from __future__ import annotations

import re

import aws_cdk as cdk
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from cdk_ml_lens.core import grants
from cdk_ml_lens.core.errors import Faults
from cdk_ml_lens.core.function import HandlerFunction
from cdk_ml_lens.core.nag import explain

_ENDPOINT = re.compile(r"arn:[^:]+:sagemaker:[^:]+:[^:]+:endpoint/[^:/]+")


class VerifiedRollout(Construct):
    """A check after the endpoint's update: it must be InService on the *new* configuration.

    Parameters
    ----------
    scope, id
        As for every construct.
    endpoint : CfnEndpoint
        The endpoint; the check runs after it, at every change of its configuration.
    config : CfnEndpointConfig
        The configuration that must be live.
    endpoint_arn : str
        For the permission to describe it.
    encryption_key : IKey
        Customer managed key of the function's log and variables.

    Raises
    ------
    PropError
        If ``endpoint_arn`` is known at synthesis and is not the ARN of an endpoint.

    Notes
    -----
    A custom resource, not a state machine: CloudFormation deletes the old configuration and models only after every
    resource is updated. When this one fails, the stack rolls back and the old ones, which the endpoint still uses, are
    kept. Lens best practice MLREL04-BP02.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        endpoint: sagemaker.CfnEndpoint,
        config: sagemaker.CfnEndpointConfig,
        endpoint_arn: str,
        encryption_key: kms.IKey,
    ) -> None:
        faults = Faults(f"verified rollout {id!r}")
        known = not cdk.Token.is_unresolved(endpoint_arn)
        right = not known or _ENDPOINT.fullmatch(endpoint_arn) is not None
        faults.unless(right, "endpoint_arn", "be the ARN of a SageMaker endpoint", endpoint_arn)
        faults.raise_any()
        super().__init__(scope, id)
        checker = HandlerFunction(
            self, "Checker", handler="verify_rollout", environment={}, encryption_key=encryption_key
        )
        silent = "CloudFormation waits for the answer: none, or a failed one, fails the deployment and rolls it back."
        explain(checker, {"LambdaDLQ": silent})
        # DescribeEndpoint: the one call of the check.
        grants.allow(checker.role, ["sagemaker:DescribeEndpoint"], [endpoint_arn])
        self.check = cdk.CustomResource(
            self,
            "Check",
            resource_type="Custom::VerifiedRollout",
            service_token=checker.function.function_arn,
            properties={
                "EndpointName": endpoint.attr_endpoint_name,
                "EndpointConfigName": config.attr_endpoint_config_name,
            },
        )
        self.check.node.add_dependency(endpoint, checker)
