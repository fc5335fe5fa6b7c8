"""What somebody may do from a notebook: named buckets, logs, and in Studio their own private spaces."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from cdk_ml_lens.core import grants
from cdk_ml_lens.core.nag import acknowledge, finding_of

_LOG = ("logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents")
_VOLUME = ("kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKeyWithoutPlaintext")
_LOOK = ("DescribeApp", "DescribeDomain", "DescribeSpace", "DescribeUserProfile", "ListApps", "ListSpaces")
_SPACE = ("CreateSpace", "DeleteSpace", "UpdateSpace")
_OWNER = "user-profile/${sagemaker:DomainId}/${sagemaker:UserProfileName}"


class WorkbenchRole(Construct):
    """The execution role of a notebook instance, a domain or one user of a domain.

    Parameters
    ----------
    scope, id
        As for every construct.
    studio : bool
        Whether it opens private spaces in Studio.
    encryption_key : IKey
        Of the volumes.

    Notes
    -----
    Sources: https://docs.aws.amazon.com/sagemaker/latest/dg/sagemaker-roles.html,
    https://docs.aws.amazon.com/sagemaker/latest/dg/security-iam-awsmanpol.html. Lens best practice MLSEC03-BP01.
    """

    def __init__(self, scope: Construct, id: str, *, studio: bool, encryption_key: kms.IKey) -> None:
        super().__init__(scope, id)
        self.role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("sagemaker.amazonaws.com"))
        acknowledge(
            self.role,
            "IAM5[Service::sagemaker.amazonaws.com]",
            "AWS documents the condition for jobs and endpoints; a notebook that cannot take its role would not start.",
            pack="MlLens",
        )
        self._log("studio" if studio else "NotebookInstances")
        if studio:
            self._name_caller()
            self._spaces()
            self._volumes(encryption_key)

    def reach(self, bucket: s3.IBucket, *, prefix: str, writes: bool) -> None:
        """Let it read, and perhaps write, below one prefix of a bucket, under the bucket's key."""
        below = f"{prefix}/*" if prefix else "*"
        objects = bucket.arn_for_objects(below)
        writing = ("s3:PutObject", "s3:AbortMultipartUpload") if writes else ()
        grants.allow(self.role, ["s3:GetObject", *writing], [objects])
        acknowledge(self.role, f"IAM5[{finding_of(self, objects)}]", "Data comes and goes below the named prefix.")
        listed = iam.PolicyStatement(
            actions=["s3:ListBucket"],
            resources=[bucket.bucket_arn],
            conditions={"StringLike": {"s3:prefix": [below]}},
        )
        self.role.add_to_policy(listed)
        writing_keys = ("kms:GenerateDataKey",) if writes else ()
        grants.use_key(self.role, bucket.encryption_key, "kms:Decrypt", *writing_keys)

    def _arn(self, name: str) -> str:
        kind, _, rest = name.partition("/")
        return cdk.Stack.of(self).format_arn(service="sagemaker", resource=kind, resource_name=rest)

    def _log(self, group: str) -> None:
        written = cdk.Stack.of(self).format_arn(
            service="logs",
            resource="log-group",
            resource_name=f"/aws/sagemaker/{group}*",
            arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
        )
        grants.allow(self.role, _LOG, [written])
        acknowledge(self.role, f"IAM5[{finding_of(self, written)}]", "SageMaker AI names the log streams.")

    def _name_caller(self) -> None:
        """Let Studio write the user's name into the session, so that CloudTrail tells who it was.

        Source: https://docs.aws.amazon.com/sagemaker/latest/dg/monitor-user-access.html
        """
        trust = self.role.assume_role_policy
        assert trust is not None
        service = iam.ServicePrincipal("sagemaker.amazonaws.com")
        trust.add_statements(iam.PolicyStatement(principals=[service], actions=["sts:SetSourceIdentity"]))

    def _spaces(self) -> None:
        """Allow private spaces of the user's own, and the apps in them, no shared ones."""
        own = {
            "ArnLike": {"sagemaker:OwnerUserProfileArn": self._arn(_OWNER)},
            "StringEquals": {"sagemaker:SpaceSharingType": "Private"},
        }
        spaces, apps = self._arn("space/${sagemaker:DomainId}/*"), self._arn("app/${sagemaker:DomainId}/*")
        for actions, resource in ((_SPACE, spaces), (("CreateApp", "DeleteApp"), apps)):
            self._allow([f"sagemaker:{action}" for action in actions], resource, own)
            finding = finding_of(self, resource).replace("${", "<").replace("}", ">")  # as cdk-nag writes it
            acknowledge(self.role, f"IAM5[{finding}]", "Only the user's own, by the condition.")
        tagged = {"Null": {"sagemaker:TaggingAction": "false"}}
        for resource in (spaces, apps):
            self._allow(["sagemaker:AddTags"], resource, tagged)
        grants.allow(self.role, ["sagemaker:CreatePresignedDomainUrl"], [self._arn(_OWNER)])
        looked = [self._arn(f"{kind}/*") for kind in ("app", "domain", "space", "user-profile")]
        grants.allow(self.role, [f"sagemaker:{action}" for action in _LOOK], looked)
        for resource in looked:
            acknowledge(self.role, f"IAM5[{finding_of(self, resource)}]", "Studio lists before it filters.")

    def _volumes(self, key: kms.IKey) -> None:
        """Let SageMaker AI attach the volumes of spaces, which the key encrypts, in the role's name.

        Source: https://docs.aws.amazon.com/ebs/latest/userguide/ebs-encryption-requirements.html#ebs-encryption-permissions
        """
        grants.use_key(self.role, key, *_VOLUME)
        self._allow(["kms:CreateGrant"], key.key_arn, {"Bool": {"kms:GrantIsForAWSResource": "true"}})

    def _allow(self, actions: list[str], resource: str, conditions: dict[str, dict[str, str]]) -> None:
        statement = iam.PolicyStatement(actions=actions, resources=[resource], conditions=conditions)
        self.role.add_to_policy(statement)
