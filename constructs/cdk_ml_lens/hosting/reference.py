"""EndpointReference: what needs only an endpoint's name, for endpoints of ours and imported ones alike."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from constructs import Construct

from cdk_ml_lens.core import grants


class EndpointReference:
    """Grants and metrics of an endpoint by name.

    Parameters
    ----------
    scope : Construct
        Any construct of the stack, for the ARN.
    endpoint_name : str
        Name of the endpoint.
    """

    def __init__(self, scope: Construct, endpoint_name: str) -> None:
        self.endpoint_name = endpoint_name
        self.endpoint_arn = cdk.Stack.of(scope).format_arn(
            service="sagemaker", resource="endpoint", resource_name=endpoint_name
        )

    def grant_invoke(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow ``sagemaker:InvokeEndpoint`` on this endpoint only. Lens best practice MLSEC06-BP01."""
        return grants.allow(grantee, ["sagemaker:InvokeEndpoint"], [self.endpoint_arn])

    def metric(self, name: str, *, variant: str) -> cloudwatch.Metric:
        """Return one metric of a variant, in ``AWS/SageMaker``.

        Source: https://docs.aws.amazon.com/sagemaker/latest/dg/monitoring-cloudwatch.html
        """
        return cloudwatch.Metric(
            namespace="AWS/SageMaker",
            metric_name=name,
            dimensions_map={"EndpointName": self.endpoint_name, "VariantName": variant},
        )
