"""What a variant serves: an artifact in S3, an image, and how the container finds the code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_s3_assets as assets
from constructs import Construct

from cdk_ml_lens.core.errors import Faults
from cdk_ml_lens.core.refs import PrivateNetwork
from cdk_ml_lens.hosting.images import InferenceImage


@dataclass(frozen=True, kw_only=True)
class ModelArtifact:
    """A ``model.tar.gz`` in S3. Make one with `from_file`, `from_bucket` or `from_parameters`.

    Parameters
    ----------
    bucket : IBucket
        Bucket of the artifact.
    key : str
        Object key.
    encryption_key : IKey, optional
        Customer managed key of the object, if it is not the bucket's own. Default: the bucket's.
    """

    bucket: s3.IBucket
    key: str
    encryption_key: kms.IKey | None = None

    @staticmethod
    def from_file(scope: Construct, id: str, path: str | Path) -> ModelArtifact:
        """Upload a local file as an asset; new bytes make a new key, and so a new model.

        Raises
        ------
        PropError
            When there is no such file or it is no ``.tar.gz``.
        """
        file = Path(path)
        faults = Faults("model artifact")
        faults.unless(file.name.endswith(".tar.gz"), "path", "end in .tar.gz", str(path))
        faults.unless(file.is_file(), "path", "be a file", str(path), "make one with: ml-lens model build")
        faults.raise_any()
        asset = assets.Asset(scope, id, path=str(file.resolve()))
        return ModelArtifact(bucket=asset.bucket, key=asset.s3_object_key)

    @staticmethod
    def from_bucket(bucket: s3.IBucket, key: str, *, encryption_key: kms.IKey | None = None) -> ModelArtifact:
        """Take an artifact that is in S3 already."""
        faults = Faults("model artifact")
        faults.unless(cdk.Token.is_unresolved(key) or key.endswith(".tar.gz"), "key", "end in .tar.gz", key)
        faults.raise_any()
        return ModelArtifact(bucket=bucket, key=key, encryption_key=encryption_key)

    @staticmethod
    def from_parameters(scope: Construct, id: str) -> ModelArtifact:
        """Leave bucket and key to two CloudFormation parameters without default: ``<id>Bucket`` and ``<id>Key``."""
        stack = cdk.Stack.of(scope)
        bucket = cdk.CfnParameter(
            stack, f"{id}Bucket", type="String", min_length=3, description="Bucket that holds model.tar.gz"
        )
        key = cdk.CfnParameter(
            stack,
            f"{id}Key",
            type="String",
            allowed_pattern=".+\\.tar\\.gz",
            description="Key of model.tar.gz; a new model needs a new key",
        )
        source = s3.Bucket.from_bucket_name(scope, id, bucket.value_as_string)
        return ModelArtifact(bucket=source, key=key.value_as_string)

    def url(self) -> str:
        """Return the ``s3://`` URL."""
        return f"s3://{self.bucket.bucket_name}/{self.key}"


@dataclass(frozen=True, kw_only=True)
class ModelSource:
    """An image and, where it takes one, an artifact.

    Parameters
    ----------
    image : InferenceImage
        Container image.
    artifact : ModelArtifact
        Model data.
    environment : mapping of str to str
        Container variables. Default: none.
    network : PrivateNetwork, optional
        VPC of the container, for example an `IsolatedNetwork`. Default: none; the container is isolated anyway.
    """

    image: InferenceImage
    artifact: ModelArtifact
    environment: Mapping[str, str] = field(default_factory=dict)
    network: PrivateNetwork | None = None

    @staticmethod
    def sklearn(
        artifact: ModelArtifact, *, entry_point: str = "inference.py", network: PrivateNetwork | None = None
    ) -> ModelSource:
        """Serve an artifact with AWS's scikit-learn container in script mode.

        Parameters
        ----------
        artifact : ModelArtifact
            Holds ``code/<entry_point>`` beside the model.
        entry_point : str
            Script below ``code/``. Default: ``inference.py``.
        network : PrivateNetwork, optional
            VPC of the container. Default: none.

        Notes
        -----
        Source: https://sagemaker.readthedocs.io/en/stable/frameworks/sklearn/using_sklearn.html
        """
        return ModelSource(
            image=InferenceImage.sklearn(),
            artifact=artifact,
            environment={
                "SAGEMAKER_PROGRAM": entry_point,
                "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code",
                "SAGEMAKER_CONTAINER_LOG_LEVEL": "20",
            },
            network=network,
        )
