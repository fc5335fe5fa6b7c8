"""LakeClassification: Amazon Macie looks through the zones for personal data, again and again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_scheduler as scheduler
from constructs import Construct

from cdk_ml_lens.core import grants
from cdk_ml_lens.core.errors import Faults
from cdk_ml_lens.core.nag import acknowledge, finding_of

_ONCE = "<aws.scheduler.execution-id>"
_WHEN = "<aws.scheduler.scheduled-time>"


@dataclass(frozen=True, kw_only=True)
class Classification:
    """How often Macie looks, and at how much.

    Parameters
    ----------
    every_days : int
        Days between two jobs. Default: 30.
    sampling_percent : int
        Share of the objects of a bucket that a job looks at, in percent. Default: 10; Macie is paid by the GB.

    Raises
    ------
    PropError
        When a number is out of range.

    Notes
    -----
    Source: https://docs.aws.amazon.com/macie/latest/APIReference/jobs.html. Lens best practice MLSEC02-BP01.
    """

    every_days: int = 30
    sampling_percent: int = 10

    def __post_init__(self) -> None:
        faults = Faults("classification")
        faults.unless(self.every_days >= 1, "every_days", "be at least 1", self.every_days)
        faults.within("sampling_percent", self.sampling_percent, 1, 100)
        faults.raise_any()


class LakeClassification(Construct):
    """A schedule that starts Macie jobs; `DataLake` makes it. Macie must be enabled in the account.

    CloudFormation has no type for such jobs, so EventBridge Scheduler makes the API call itself.

    Parameters
    ----------
    scope, id
        As for every construct.
    settings : Classification
        How often, how much.
    buckets : sequence of IBucket
        What is looked at.
    encryption_key : IKey
        Key of the objects; Macie's service-linked role is let in. An imported key's policy is its owner's to extend.

    Notes
    -----
    Source: https://docs.aws.amazon.com/macie/latest/user/discovery-supported-encryption-types.html
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        settings: Classification,
        buckets: Sequence[s3.IBucket],
        encryption_key: kms.IKey,
    ) -> None:
        super().__init__(scope, id)
        self._let_macie_decrypt(encryption_key)
        role = self._role()
        kind = scheduler.CfnSchedule
        self.schedule = kind(
            self,
            "Schedule",
            description="Starts a Macie job over the zones of the lake",
            schedule_expression=f"rate({settings.every_days} day{'s' if settings.every_days > 1 else ''})",
            flexible_time_window=kind.FlexibleTimeWindowProperty(mode="FLEXIBLE", maximum_window_in_minutes=60),
            target=kind.TargetProperty(
                arn=f"arn:{cdk.Stack.of(self).partition}:scheduler:::aws-sdk:macie2:createClassificationJob",
                role_arn=role.role_arn,
                input=self._job(settings, buckets),
            ),
        )
        self.schedule.node.add_dependency(role)

    @property
    def macie_arn(self) -> str:
        """ARN of Macie's service-linked role in this account."""
        return cdk.Stack.of(self).format_arn(
            service="iam",
            region="",
            resource="role/aws-service-role/macie.amazonaws.com",
            resource_name="AWSServiceRoleForAmazonMacie",
        )

    def _job(self, settings: Classification, buckets: Sequence[s3.IBucket]) -> str:
        """Return the call's parameters; the execution's id makes a repeated attempt the same job."""
        stack = cdk.Stack.of(self)
        definition = {"AccountId": stack.account, "Buckets": [bucket.bucket_name for bucket in buckets]}
        return stack.to_json_string(
            {
                "ClientToken": _ONCE,
                "JobType": "ONE_TIME",
                "Name": f"{self.node.path} {_WHEN}",
                "ManagedDataIdentifierSelector": "RECOMMENDED",
                "SamplingPercentage": settings.sampling_percent,
                "S3JobDefinition": {"BucketDefinitions": [definition]},
            }
        )

    def _role(self) -> iam.Role:
        stack = cdk.Stack.of(self)
        ours = {"StringEquals": {"aws:SourceAccount": stack.account}}
        principal = iam.ServicePrincipal("scheduler.amazonaws.com").with_conditions(ours)
        role = iam.Role(self, "Role", assumed_by=principal)
        jobs = stack.format_arn(service="macie2", resource="classification-job", resource_name="*")
        grants.allow(role, ["macie2:CreateClassificationJob"], [jobs])
        acknowledge(role, f"IAM5[{finding_of(role, jobs)}]", "Macie names a job when it is created.")
        return role

    def _let_macie_decrypt(self, key: kms.IKey) -> None:
        """The role is named by condition: as a principal it would have to exist before the key."""
        key.add_to_resource_policy(
            iam.PolicyStatement(
                sid="Macie",
                principals=[iam.AnyPrincipal()],
                actions=["kms:Decrypt"],
                resources=["*"],
                conditions={"ArnEquals": {"aws:PrincipalArn": self.macie_arn}},
            )
        )
