"""JobRole: what SageMaker AI may do for the jobs of a pipeline, and nothing of AmazonSageMakerFullAccess."""

from __future__ import annotations

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3_assets as assets
from constructs import Construct

from cdk_ml_lens.core import grants
from cdk_ml_lens.core.container_image import ContainerImage
from cdk_ml_lens.core.nag import acknowledge, finding_of
from cdk_ml_lens.core.trust import of_this_account
from cdk_ml_lens.training.refs import ModelGroup

PULL = ("ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
_LOG = ("logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents")
_INTERFACES = (
    "CreateNetworkInterface",
    "CreateNetworkInterfacePermission",
    "DeleteNetworkInterface",
    "DeleteNetworkInterfacePermission",
    "DescribeDhcpOptions",
    "DescribeNetworkInterfaces",
    "DescribeSecurityGroups",
    "DescribeSubnets",
    "DescribeVpcs",
)


class JobRole(Construct):
    """The role of one kind of job: read the dataset and the code, pull the image, write logs, metrics and results.

    Parameters
    ----------
    scope, id
        As for every construct.
    image : ContainerImage
        What the job runs.
    code : Asset or None
        Its code.
    logs : str
        Log group of SageMaker AI: ``TrainingJobs`` or ``ProcessingJobs``.
    in_network : bool
        Whether it has interfaces in a VPC.

    Notes
    -----
    Source: https://docs.aws.amazon.com/sagemaker/latest/dg/sagemaker-roles.html#sagemaker-roles-createtrainingjob-perms.
    Lens best practice MLSEC03-BP01.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        image: ContainerImage,
        code: assets.Asset | None,
        logs: str,
        in_network: bool,
    ) -> None:
        super().__init__(scope, id)
        self.role = iam.Role(self, "Role", assumed_by=of_this_account(self, "sagemaker.amazonaws.com"))
        if code is not None:
            self._read_code(code)
        grants.allow(self.role, PULL, [image.repository_arn(self)])
        written = cdk.Stack.of(self).format_arn(
            service="logs",
            resource="log-group",
            resource_name=f"/aws/sagemaker/{logs}*",
            arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
        )
        grants.allow(self.role, _LOG, [written])
        self._explain(written, "SageMaker AI names the log groups of its jobs.")
        self._unscoped(in_network)

    def reach(self, registry: ModelGroup, *, reads: Sequence[str], writes: Sequence[str]) -> None:
        """Let the job read and write below prefixes of the artifact bucket."""
        bucket = registry.bucket
        for prefix in reads:
            self._objects(bucket.arn_for_objects(f"{prefix}/*"), ["s3:GetObject"])
        for prefix in writes:
            self._objects(bucket.arn_for_objects(f"{prefix}/*"), ["s3:PutObject", "s3:AbortMultipartUpload"])
        grants.allow(self.role, ["s3:ListBucket", "s3:GetBucketLocation"], [bucket.bucket_arn])
        # CreateGrant is for the volumes of instances with Nitro: sagemaker-roles.html, "KMS key permissions".
        actions = ("kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey")
        grants.use_key(self.role, registry.encryption_key, *actions)

    def _read_code(self, code: assets.Asset) -> None:
        grants.allow(self.role, ["s3:GetObject"], [code.bucket.arn_for_objects(code.s3_object_key)])
        listed = iam.PolicyStatement(
            actions=["s3:ListBucket"],
            resources=[code.bucket.bucket_arn],
            conditions={"StringLike": {"s3:prefix": [code.s3_object_key]}},
        )
        self.role.add_to_policy(listed)

    def _objects(self, resource: str, actions: Sequence[str]) -> None:
        grants.allow(self.role, actions, [resource])
        self._explain(resource, "Artifacts, checkpoints and evaluations are named after executions.")

    def _unscoped(self, in_network: bool) -> None:
        grants.allow(self.role, ["ecr:GetAuthorizationToken"], ["*"])
        metrics = iam.PolicyStatement(
            actions=["cloudwatch:PutMetricData"],
            resources=["*"],
            conditions={"StringLike": {"cloudwatch:namespace": ["AWS/SageMaker", "/aws/sagemaker/*"]}},
        )
        self.role.add_to_policy(metrics)
        if in_network:
            grants.allow(self.role, [f"ec2:{action}" for action in _INTERFACES], ["*"])
        self._explain(
            "*",
            "ecr:GetAuthorizationToken, cloudwatch:PutMetricData and the network interface calls of a VPC have no "
            "usable resource type; the metrics are limited to SageMaker's namespaces by a condition.",
        )

    def _explain(self, resource: str, reason: str) -> None:
        finding = "Resource::*" if resource == "*" else finding_of(self, resource)
        acknowledge(self.role, f"IAM5[{finding}]", reason)
