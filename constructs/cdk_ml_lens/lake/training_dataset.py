"""TrainingDataset: after each run of a lake's pipeline, the features as a versioned training set with a manifest."""

from __future__ import annotations

from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from constructs import Construct

from cdk_ml_lens.core.assets import bundled
from cdk_ml_lens.lake.access import Objects
from cdk_ml_lens.lake.etl_job import EtlJob
from cdk_ml_lens.lake.etl_step import EtlStep
from cdk_ml_lens.lake.lake_pipeline import LakePipeline

_PREFIX = "_datasets/"


class TrainingDataset(Construct):
    """CSV files by split below ``_datasets/<version>/`` of the features' zone, and a manifest that names all of it.

    Parameters
    ----------
    scope, id
        As for every construct.
    pipeline : LakePipeline
        Whose features are exported, as its last step.
    alarm_topic : ITopic, optional
        Who hears of failures. Default: nobody.

    Attributes
    ----------
    job : EtlJob
        What exports.
    bucket : IBucket
        Bucket of the features' zone.
    prefix : str
        ``_datasets/``.
    encryption_key : IKey
        Key of the files.

    Notes
    -----
    A dataset is never changed: the version is that of the feature table. ``current.json`` is a copy of the newest
    manifest, written last. Rows with a feature that is null are left out and counted as ``dropped``.
    Lens best practice MLREL04-BP01 (versioned data), MLOPS04-BP03 (lineage).
    """

    def __init__(
        self, scope: Construct, id: str, *, pipeline: LakePipeline, alarm_topic: sns.ITopic | None = None
    ) -> None:
        super().__init__(scope, id)
        table = pipeline.features
        self.bucket: s3.IBucket = table.bucket
        self.prefix = _PREFIX
        self.encryption_key: kms.IKey = table.encryption_key
        step = EtlStep.from_script(
            bundled("etl_src") / "jobs" / "export_dataset.py",
            source=table,
            arguments={
                "--source": f"{table.database_name}.{table.name}",
                "--datasets": table.bucket.s3_url_for_object(_PREFIX),
            },
        )
        self.job = EtlJob(self, "Export", step=step, alarm_topic=alarm_topic)
        self._objects.grant_replace(self.job.role)
        pipeline.then(self.job)

    @property
    def manifest_uri(self) -> str:
        """URI of the newest manifest, ``s3://…/_datasets/current.json``."""
        return self.bucket.s3_url_for_object(f"{_PREFIX}current.json")

    def grant_read(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow to read manifests and files of every dataset: S3 ``GetObject`` and ``ListBucket``, KMS ``Decrypt``."""
        return self._objects.grant_read(grantee)

    @property
    def _objects(self) -> Objects:
        return Objects(bucket=self.bucket, key=self.encryption_key, prefixes=(_PREFIX,))
