"""DatasetSource: where versioned datasets lie; a run names one of them by its manifest."""

from __future__ import annotations

import re
from dataclasses import dataclass

from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from cdk_ml_lens.core import grants
from cdk_ml_lens.core.errors import Faults
from cdk_ml_lens.core.nag import acknowledge, finding_of

_PREFIX = re.compile(r"[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*")


@dataclass(frozen=True, kw_only=True)
class DatasetSource:
    """A bucket and a prefix below which each version has a ``dataset.json`` beside its splits.

    Parameters
    ----------
    bucket : IBucket
        Holds the datasets.
    prefix : str
        Prefix of all versions, without slashes at its ends. Default: ``datasets``.
    encryption_key : IKey, optional
        Customer managed key of the objects, if it is not the bucket's own. Default: the bucket's.

    Raises
    ------
    PropError
        When the prefix is no path.

    Notes
    -----
    Lens best practice MLOPS03-BP02: data is versioned, and every model knows the version that it was trained on.
    """

    bucket: s3.IBucket
    prefix: str = "datasets"
    encryption_key: kms.IKey | None = None

    def __post_init__(self) -> None:
        faults = Faults("dataset source")
        legal = _PREFIX.fullmatch(self.prefix) is not None
        faults.unless(legal, "prefix", "be path levels of A-Z a-z 0-9 _ -", self.prefix)
        faults.raise_any()

    @property
    def url(self) -> str:
        """Prefix of every manifest's S3 URI."""
        return f"s3://{self.bucket.bucket_name}/{self.prefix}/"

    def grant_read(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow to read and list every version."""
        key = self.bucket.encryption_key if self.encryption_key is None else self.encryption_key
        grants.use_key(grantee, key, "kms:Decrypt")
        objects = self.bucket.arn_for_objects(f"{self.prefix}/*")
        if isinstance(grantee, Construct):
            acknowledge(grantee, f"IAM5[{finding_of(grantee, objects)}]", "Versions come and go below the prefix.")
        grants.allow(grantee, ["s3:ListBucket"], [self.bucket.bucket_arn])
        return grants.allow(grantee, ["s3:GetObject"], [objects])
