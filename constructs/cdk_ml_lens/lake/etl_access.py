"""The role of an ETL job: its tables, its quarantine, its logs and metrics, and no policy of AWS."""

from __future__ import annotations

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3_assets as assets
from constructs import Construct

from cdk_ml_lens.core import grants
from cdk_ml_lens.core.nag import acknowledge, finding_of
from cdk_ml_lens.lake.access import Objects
from cdk_ml_lens.lake.etl_events import EVENT_SOURCE
from cdk_ml_lens.lake.etl_step import EtlStep
from cdk_ml_lens.lake.lake_table import LakeTable

_LOG = ("logs:AssociateKmsKey", "logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents")
_KEY = ("kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey")


def job_role(scope: Construct, *, step: EtlStep, code: Sequence[assets.Asset], key: kms.IKey) -> iam.Role:
    """Make the role of a job, with what reading, publishing and refusing take.

    Parameters
    ----------
    scope : Construct
        Owner.
    step : EtlStep
        What the job does.
    code : sequence of Asset
        Script and modules.
    key : IKey
        Key of the security configuration.

    Notes
    -----
    Source: https://docs.aws.amazon.com/glue/latest/dg/set-up-encryption.html. Lens best practice MLSEC03-BP01.
    """
    role = iam.Role(scope, "Role", assumed_by=iam.ServicePrincipal("glue.amazonaws.com"))
    grants.allow(role, ["s3:GetObject"], [asset.bucket.arn_for_objects(asset.s3_object_key) for asset in code])
    step.source.grant_read(role)
    if step.target is not None:
        step.target.grant_publish(role)
        _allow_artifacts(role, step, step.target)
    grants.use_key(role, key, *_KEY)
    return role


def allow_observation(role: iam.Role, *, log_prefix: str) -> None:
    """Let the job write its own log groups and Glue's metrics."""
    written = cdk.Stack.of(role).format_arn(
        service="logs",
        resource="log-group",
        resource_name=f"{log_prefix}*",
        arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
    )
    grants.allow(role, _LOG, [written])
    acknowledge(role, f"IAM5[{finding_of(role, written)}]", "Glue names log groups and streams below the job's prefix.")
    role.add_to_policy(
        iam.PolicyStatement(
            actions=["cloudwatch:PutMetricData"],
            resources=["*"],
            conditions={"StringEquals": {"cloudwatch:namespace": "Glue"}},
        )
    )
    acknowledge(role, "IAM5[Resource::*]", "cloudwatch:PutMetricData has no resource type; a condition limits it.")


def allow_events(role: iam.Role, bus: events.IEventBus) -> None:
    """Let the job say on the bus that a batch was refused, under our source only."""
    role.add_to_policy(
        iam.PolicyStatement(
            actions=["events:PutEvents"],
            resources=[bus.event_bus_arn],
            # On AWS every entry has a source; IfExists is for evaluators that do not know the key.
            conditions={"StringEqualsIfExists": {"events:source": EVENT_SOURCE}},
        )
    )


def _allow_artifacts(role: iam.Role, step: EtlStep, target: LakeTable) -> None:
    """Normalisation parameters lie beside the table, in its zone's bucket."""
    if step.artifacts_prefix is not None:
        artifacts = Objects(bucket=target.bucket, key=target.encryption_key, prefixes=[step.artifacts_prefix])
        artifacts.grant_replace(role)
