"""FeatureGroup: the features of a feature set in SageMaker Feature Store, online and offline."""

from __future__ import annotations

import re

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sagemaker as sagemaker
from aws_cdk import aws_sns as sns
from constructs import Construct

from cdk_ml_lens.core import grants
from cdk_ml_lens.core.alarms import AlarmRule, add_alarm
from cdk_ml_lens.core.bucket import SecureBucket
from cdk_ml_lens.core.errors import Faults
from cdk_ml_lens.core.feature_set import FeatureSet
from cdk_ml_lens.core.keys import key_or_new
from cdk_ml_lens.core.removal import removal_policy as resolve_removal_policy
from cdk_ml_lens.lake.etl_job import EtlJob
from cdk_ml_lens.lake.feature_feed import feed_step
from cdk_ml_lens.lake.feature_store import OfflineStore, OnlineStore, store_role
from cdk_ml_lens.lake.lake_pipeline import LakePipeline

DEVICE, EVENT_TIME, READING = "device_id", "event_time", "reading_id"
_NAME = re.compile(r"[a-zA-Z0-9]([-_]*[a-zA-Z0-9]){0,63}")
_TAKEN = ("is_deleted", "write_time", "api_invocation_time")
_SOURCE = "see API_FeatureDefinition.html"
THROTTLE_ALARM = AlarmRule(
    metric="ThrottledRequests", threshold=0, description="Feature Store refuses records for their rate: write fewer."
)


class FeatureGroup(Construct):
    """A record per device: ``device_id``, ``event_time``, ``reading_id`` and a number for each feature.

    Parameters
    ----------
    scope, id
        As for every construct.
    feature_set : FeatureSet
        Its features, by name and in order.
    name : str, optional
        Clients call it by name. Default: made of the path.
    online : OnlineStore, optional
        Default: without expiry.
    offline : OfflineStore, optional
        Default: Iceberg in a new `SecureBucket`.
    encryption_key : IKey, optional
        Customer managed key of both stores. Default: a new one.
    removal_policy : RemovalPolicy, optional
        Default: retain. ``DESTROY`` also takes the context flag ``cdk-ml-lens:removeDataOnDestroy``.
    alarm_topic : ITopic, optional
        Who hears of throttled writes. Default: nobody.

    Attributes
    ----------
    group : CfnFeatureGroup
    role : Role
    name : str

    Raises
    ------
    PropError
        When a name is none that Feature Store takes.

    Notes
    -----
    Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateFeatureGroup.html. Lens best
    practices MLREL03-BP02 (consistent features) and MLCOST03-BP04 (reused features).
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        feature_set: FeatureSet,
        name: str | None = None,
        online: OnlineStore | None = None,
        offline: OfflineStore | None = None,
        encryption_key: kms.IKey | None = None,
        removal_policy: cdk.RemovalPolicy | None = None,
        alarm_topic: sns.ITopic | None = None,
    ) -> None:
        _check(feature_set, name)
        super().__init__(scope, id)
        self._alarm_topic = alarm_topic
        self.feature_set = feature_set
        self.name = cdk.Names.unique_resource_name(self, max_length=64, separator="-") if name is None else name
        self.encryption_key = key_or_new(self, encryption_key, description="Encrypts features")
        if offline is None:
            made = SecureBucket(self, "Bucket", encryption_key=self.encryption_key, removal_policy=removal_policy)
            offline = OfflineStore(bucket=made.bucket)
        self.offline = offline
        self.role = store_role(self, offline, self.encryption_key)
        self.group = self._group(OnlineStore() if online is None else online)
        self.group.apply_removal_policy(resolve_removal_policy(self, removal_policy))
        self.alarm("ThrottleAlarm", THROTTLE_ALARM)

    @property
    def arn(self) -> str:
        """ARN of the group."""
        return cdk.Stack.of(self).format_arn(
            service="sagemaker", resource="feature-group", resource_name=self.name.lower()
        )

    def grant_put(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow ``sagemaker:PutRecord`` on this group, and the use of the key for it."""
        grants.use_key(grantee, self.encryption_key, "kms:Decrypt", "kms:GenerateDataKey")
        return grants.allow(grantee, ["sagemaker:PutRecord"], [self.arn])

    def grant_get(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow to read the newest records of devices, and the use of the key for it."""
        grants.use_key(grantee, self.encryption_key, "kms:Decrypt")
        return grants.allow(grantee, ["sagemaker:BatchGetRecord", "sagemaker:GetRecord"], [self.arn])

    def feed(self, pipeline: LakePipeline) -> EtlJob:
        """Put the newest features of each device after every run of a pipeline.

        Parameters
        ----------
        pipeline : LakePipeline
            Its table of features is read; it must have this group's feature set.

        Returns
        -------
        EtlJob
            The job, run last in the pipeline.

        Raises
        ------
        PropError
            When the pipeline computes other features.
        """
        faults = Faults(f"feature group {self.node.id!r}")
        own, other = self.feature_set.names, pipeline.feature_set.names
        faults.unless(own == other, "pipeline", f"compute the features {list(own)}", list(other))
        faults.raise_any()
        job = EtlJob(self, "Feed", step=feed_step(pipeline, self.name), alarm_topic=self._alarm_topic)
        self.grant_put(job.role)
        job.job.node.add_dependency(self.group)
        pipeline.then(job)
        return job

    def metric(self, name: str, *, operation: str = "PutRecord") -> cloudwatch.Metric:
        """Return one metric of the group.

        Source: https://docs.aws.amazon.com/sagemaker/latest/dg/monitoring-cloudwatch.html#cloudwatch-metrics-feature-store
        """
        dimensions = {"FeatureGroupName": self.name, "OperationName": operation}
        return cloudwatch.Metric(namespace="AWS/SageMaker/FeatureStore", metric_name=name, dimensions_map=dimensions)

    def alarm(self, id: str, rule: AlarmRule) -> cloudwatch.Alarm:
        """Make an alarm on a metric of the group's writes."""
        return add_alarm(self, id, metric=self.metric(rule.metric), rule=rule, topic=self._alarm_topic)

    def _group(self, online: OnlineStore) -> sagemaker.CfnFeatureGroup:
        texts = [_definition(name, "String") for name in (DEVICE, EVENT_TIME, READING)]
        numbers = [_definition(name, "Fractional") for name in self.feature_set.names]
        group = sagemaker.CfnFeatureGroup(
            self,
            "Group",
            feature_group_name=self.name,
            record_identifier_feature_name=DEVICE,
            event_time_feature_name=EVENT_TIME,
            feature_definitions=[*texts, *numbers],
            role_arn=self.role.role_arn,
            online_store_config=online.render(self.encryption_key),
            offline_store_config=self.offline.render(self.encryption_key),
        )
        group.node.add_dependency(self.role)
        return group


def _definition(name: str, type: str) -> sagemaker.CfnFeatureGroup.FeatureDefinitionProperty:
    return sagemaker.CfnFeatureGroup.FeatureDefinitionProperty(feature_name=name, feature_type=type)


def _check(feature_set: FeatureSet, name: str | None) -> None:
    faults = Faults("feature group")
    odd = [item for item in feature_set.names if _NAME.fullmatch(item) is None or item in _TAKEN]
    faults.unless(not odd, "feature_set", "name features as Feature Store can", odd, _SOURCE)
    fits = name is None or _NAME.fullmatch(name) is not None
    faults.unless(fits, "name", "be at most 64 letters, digits, - and _", name, "see API_CreateFeatureGroup.html")
    faults.raise_any()
