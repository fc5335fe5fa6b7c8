"""What the jobs of SageMaker AI's own monitor may do."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from cdk_ml_lens.core import grants
from cdk_ml_lens.core.nag import acknowledge, finding_of
from cdk_ml_lens.monitoring import access
from cdk_ml_lens.monitoring.drift_values import CaptureSource
from cdk_ml_lens.monitoring.monitor_definition import files_of
from cdk_ml_lens.monitoring.monitor_kinds import AnyKind, ModelBias, ModelExplainability, ModelQuality
from cdk_ml_lens.training.job_role import JobRole

_DATED = "Files are named after their time."


def monitor_role(scope: Construct, kind: AnyKind, *, in_network: bool) -> iam.Role:
    """Make the role of the jobs: image, logs, and metrics of the namespaces that the containers use.

    Sources: https://docs.aws.amazon.com/sagemaker/latest/dg/sagemaker-roles.html#sagemaker-roles-createprocessingjob-perms,
    https://docs.aws.amazon.com/sagemaker/latest/dg/clarify-model-monitor-bias-drift-cw.html
    """
    role = JobRole(scope, "Job", image=kind.image, code=None, logs="ProcessingJobs", in_network=in_network).role
    # Clarify's namespaces have no slash before them.
    role.add_to_policy(
        iam.PolicyStatement(
            actions=["cloudwatch:PutMetricData"],
            resources=["*"],
            conditions={"StringLike": {"cloudwatch:namespace": ["aws/sagemaker/*"]}},
        )
    )
    if isinstance(kind, ModelExplainability):
        _serve_model(role, kind)
    return role


def read_inputs(role: iam.Role, kind: AnyKind, captures: CaptureSource) -> None:
    """Allow to read captures, labels, baseline and configuration."""
    folders = [(captures.bucket, captures.folder)]
    if isinstance(kind, ModelQuality | ModelBias):
        folders.append((kind.labels.bucket, kind.labels.folder))
    for bucket, folder in folders:
        access.allow_objects(role, bucket, folder, ["s3:GetObject"], reason=_DATED)
        access.use_bucket_key(role, bucket, "kms:Decrypt")
        access.allow_list(role, bucket)
    for file in files_of(kind):
        grants.allow(role, ["s3:GetObject"], [file.bucket.arn_for_objects(file.key)])
        access.use_bucket_key(role, file.bucket, "kms:Decrypt")
        access.allow_list(role, file.bucket)


def write_reports(role: iam.Role, bucket: s3.IBucket, prefix: str, key: kms.IKey) -> None:
    """Allow to write reports; model quality and bias also keep the merged labels there and read them."""
    actions = ["s3:GetObject", *access.WRITE]
    access.allow_objects(role, bucket, prefix, actions, reason="Reports are named after their time.")
    access.use_bucket_key(role, bucket, "kms:GenerateDataKey", "kms:Decrypt")
    access.allow_list(role, bucket)
    grants.use_key(role, key, *access.VOLUMES)


def _serve_model(role: iam.Role, kind: ModelExplainability) -> None:
    """Let Clarify serve the model on an endpoint of its own, ask it, and delete it.

    Source: https://docs.aws.amazon.com/sagemaker/latest/dg/clarify-processing-job-run.html
    """
    stack = cdk.Stack.of(role)

    def arn(resource: str, name: str) -> str:
        return stack.format_arn(service="sagemaker", resource=resource, resource_name=name)

    model = arn("model", kind.model_name.lower())
    endpoint, config = (arn(kept, f"{kind.endpoint_prefix.lower()}*") for kept in ("endpoint", "endpoint-config"))
    grants.allow(role, ["sagemaker:DescribeModel"], [model])
    grants.allow(role, ["sagemaker:CreateEndpointConfig"], [config, model])
    grants.allow(role, ["sagemaker:CreateEndpoint"], [endpoint, config])
    grants.allow(role, ["sagemaker:DeleteEndpointConfig", "sagemaker:DescribeEndpointConfig"], [config])
    asked = ["sagemaker:DescribeEndpoint", "sagemaker:InvokeEndpoint", "sagemaker:DeleteEndpoint"]
    grants.allow(role, asked, [endpoint])
    for resource in (endpoint, config):
        acknowledge(role, f"IAM5[{finding_of(role, resource)}]", "Clarify names its endpoint anew for each job.")
