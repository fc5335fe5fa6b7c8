"""ExecutionRole: what SageMaker AI may do for one endpoint, and nothing of AmazonSageMakerFullAccess."""

from __future__ import annotations

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from constructs import Construct

from cdk_ml_lens.core import grants
from cdk_ml_lens.core.nag import acknowledge, finding_of
from cdk_ml_lens.core.trust import of_this_account
from cdk_ml_lens.hosting.model import ModelSource
from cdk_ml_lens.hosting.model_sources import AnyModel, MultiModelSource, PipelineSource

PULL = ("ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")

_LOG = ("logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents")


class ExecutionRole(Construct):
    """The role of the endpoint's models: read its artifacts, pull its images, write its logs, metrics and captures.

    Parameters
    ----------
    scope, id
        As for every construct.
    models : sequence of models
        Artifacts and images.
    log_group : ILogGroup or None
        ``/aws/sagemaker/Endpoints/<name>``; ``None`` for jobs, whose log groups SageMaker AI names.

    Notes
    -----
    Source: https://docs.aws.amazon.com/sagemaker/latest/dg/sagemaker-roles.html#sagemaker-roles-createmodel-perms.
    Lens best practice MLSEC03-BP01.
    """

    def __init__(
        self, scope: Construct, id: str, *, models: Sequence[AnyModel], log_group: logs.ILogGroup | None
    ) -> None:
        super().__init__(scope, id)
        self.role = iam.Role(self, "Role", assumed_by=of_this_account(self, "sagemaker.amazonaws.com"))
        for model in models:
            self._read_model(model)
        written = _job_logs(self) if log_group is None else log_group.log_group_arn
        grants.allow(self.role, [*_LOG, *(() if log_group is not None else ("logs:CreateLogGroup",))], [written])
        if log_group is None:
            acknowledge(
                self.role, f"IAM5[{finding_of(self, written)}]", "SageMaker AI names the log groups of its jobs."
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
            "ecr:GetAuthorizationToken, cloudwatch:PutMetricData and the network interface calls of a VPC have no "
            "usable resource type; the metrics are limited to SageMaker's namespaces by a condition.",
        )

    def write_captures(self, bucket: s3.IBucket, prefix: str, key: kms.IKey) -> None:
        """Let the endpoint write captured traffic below one prefix."""
        objects = bucket.arn_for_objects(f"{prefix.strip('/')}/*")
        grants.allow(self.role, ["s3:PutObject"], [objects])
        acknowledge(self.role, f"IAM5[{finding_of(self, objects)}]", "SageMaker AI names the capture files.")
        grants.use_key(self.role, key, "kms:GenerateDataKey", "kms:Decrypt")

    def write_answers(self, bucket: s3.IBucket, prefix: str, key: kms.IKey) -> None:
        """Let an asynchronous endpoint read requests, and write answers and failures, below one prefix."""
        objects = bucket.arn_for_objects(f"{prefix}/*")
        grants.allow(self.role, ["s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload"], [objects])
        acknowledge(self.role, f"IAM5[{finding_of(self, objects)}]", "SageMaker AI names the answers.")
        grants.allow(self.role, ["s3:GetBucketLocation", "s3:ListBucket"], [bucket.bucket_arn])
        grants.use_key(self.role, key, "kms:GenerateDataKey", "kms:Decrypt")

    def transform(self, bucket: s3.IBucket, source: str, target: str, key: kms.IKey) -> None:
        """Let transform jobs read below one prefix and write below another."""
        for prefix, actions in ((source, ["s3:GetObject"]), (target, ["s3:PutObject", "s3:AbortMultipartUpload"])):
            objects = bucket.arn_for_objects(f"{prefix}/*")
            grants.allow(self.role, actions, [objects])
            acknowledge(self.role, f"IAM5[{finding_of(self, objects)}]", "Objects come and go below the prefix.")
        grants.allow(self.role, ["s3:ListBucket"], [bucket.bucket_arn])
        grants.use_key(self.role, key, "kms:GenerateDataKey", "kms:Decrypt")

    def notify(self, topic: sns.ITopic | None, key: kms.IKey) -> None:
        """Let an asynchronous endpoint publish to a topic."""
        if topic is not None:
            grants.allow(self.role, ["sns:Publish"], [topic.topic_arn])
            grants.use_key(self.role, key, "kms:GenerateDataKey", "kms:Decrypt")

    def join_network(self) -> None:
        """Let SageMaker AI attach containers to a VPC.

        Source: https://docs.aws.amazon.com/sagemaker/latest/dg/sagemaker-roles.html#sagemaker-roles-createmodel-perms
        """
        actions = (
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
        grants.allow(self.role, [f"ec2:{action}" for action in actions], ["*"])

    def _read_model(self, model: AnyModel) -> None:
        if isinstance(model, PipelineSource):
            for stage in model.stages:
                self._read_model(stage)
        elif isinstance(model, MultiModelSource):
            self._read_many(model)
        else:
            self._read_one(model)

    def _read_one(self, model: ModelSource) -> None:
        artifact = model.artifact
        grants.allow(self.role, ["s3:GetObject"], [artifact.bucket.arn_for_objects(artifact.key)])
        grants.allow(self.role, PULL, [model.image.repository_arn(self)])
        key = artifact.bucket.encryption_key if artifact.encryption_key is None else artifact.encryption_key
        grants.use_key(self.role, key, "kms:Decrypt")
        if model.network is not None:
            self.join_network()

    def _read_many(self, model: MultiModelSource) -> None:
        objects = model.bucket.arn_for_objects(f"{model.prefix}/*")
        grants.allow(self.role, ["s3:GetObject"], [objects])
        grants.allow(self.role, ["s3:ListBucket"], [model.bucket.bucket_arn])
        acknowledge(self.role, f"IAM5[{finding_of(self, objects)}]", "Models come and go below the prefix.")
        grants.allow(self.role, PULL, [model.container_image().repository_arn(self)])
        grants.use_key(self.role, model.bucket.encryption_key, "kms:Decrypt")


def _job_logs(scope: Construct) -> str:
    return cdk.Stack.of(scope).format_arn(
        service="logs",
        resource="log-group",
        resource_name="/aws/sagemaker/TransformJobs*",
        arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
    )
