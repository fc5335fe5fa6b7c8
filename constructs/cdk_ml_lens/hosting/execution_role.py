"""ExecutionRole: what SageMaker AI may do for one endpoint, and nothing of AmazonSageMakerFullAccess."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from constructs import Construct

from cdk_ml_lens.core import grants
from cdk_ml_lens.core.nag import acknowledge, finding_of
from cdk_ml_lens.hosting.model import ModelSource

_PULL = ("ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")


class ExecutionRole(Construct):
    """The role of the endpoint's models: read its artifacts, pull its images, write its logs, metrics and captures.

    Parameters
    ----------
    scope, id
        As for every construct.
    models : sequence of ModelSource
        Artifacts and images.
    log_group : ILogGroup
        ``/aws/sagemaker/Endpoints/<name>``.

    Notes
    -----
    Source: https://docs.aws.amazon.com/sagemaker/latest/dg/sagemaker-roles.html#sagemaker-roles-createmodel-perms.
    Lens best practice MLSEC03-BP01.
    """

    def __init__(self, scope: Construct, id: str, *, models: Sequence[ModelSource], log_group: logs.ILogGroup) -> None:
        super().__init__(scope, id)
        self.role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("sagemaker.amazonaws.com"))
        for model in models:
            self._read_model(model)
        grants.allow(
            self.role,
            ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
            [log_group.log_group_arn],
        )
        # ecr:GetAuthorizationToken and cloudwatch:PutMetricData have no resource type in IAM.
        grants.allow(self.role, ["ecr:GetAuthorizationToken"], ["*"])
        self.role.add_to_policy(
            iam.PolicyStatement(
                actions=["cloudwatch:PutMetricData"],
                resources=["*"],
                conditions={"StringLike": {"cloudwatch:namespace": ["AWS/SageMaker", "/aws/sagemaker/*"]}},
            )
        )
        acknowledge(
            self.role,
            "IAM5[Resource::*]",
            "ecr:GetAuthorizationToken and cloudwatch:PutMetricData have no resource type; "
            "the metrics are limited to SageMaker's namespaces by a condition.",
        )

    def write_captures(self, bucket: s3.IBucket, prefix: str, key: kms.IKey) -> None:
        """Let the endpoint write captured traffic below one prefix."""
        objects = bucket.arn_for_objects(f"{prefix.strip('/')}/*")
        grants.allow(self.role, ["s3:PutObject"], [objects])
        acknowledge(self.role, f"IAM5[{finding_of(self, objects)}]", "SageMaker AI names the capture files.")
        grants.use_key(self.role, key, "kms:GenerateDataKey", "kms:Decrypt")

    def _read_model(self, model: ModelSource) -> None:
        artifact = model.artifact
        grants.allow(self.role, ["s3:GetObject"], [artifact.bucket.arn_for_objects(artifact.key)])
        grants.allow(self.role, _PULL, [model.image.repository_arn(self)])
        key = artifact.bucket.encryption_key if artifact.encryption_key is None else artifact.encryption_key
        grants.use_key(self.role, key, "kms:Decrypt")
