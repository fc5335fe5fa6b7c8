"""VerifiedRollout: fails the deployment when an update was silently rolled back."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from cdk_ml_lens.core import grants
from cdk_ml_lens.core.function import HandlerFunction
from cdk_ml_lens.core.nag import explain


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
