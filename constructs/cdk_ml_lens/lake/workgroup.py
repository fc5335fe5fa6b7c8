"""LakeWorkgroup: where Athena queries the lake, with encrypted results, a limit per query, and an alarm on the sum."""

from __future__ import annotations

from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_athena as athena
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from constructs import Construct

from cdk_ml_lens.core import grants
from cdk_ml_lens.core.alarms import AlarmRule, add_alarm
from cdk_ml_lens.core.errors import Faults
from cdk_ml_lens.core.replication import unreplicated
from cdk_ml_lens.lake.access import Objects
from cdk_ml_lens.lake.naming import query_name
from cdk_ml_lens.lake.zone_bucket import private_bucket
from cdk_ml_lens.lake.zones import Lifecycle

RESULTS = "results/"
GIGABYTE = 1024**3
_QUERY = (
    "StartQueryExecution",
    "StopQueryExecution",
    "GetQueryExecution",
    "GetQueryResults",
    "GetWorkGroup",
)


@dataclass(frozen=True, kw_only=True)
class QueryLimits:
    """What queries may cost, and how long their results stay.

    Parameters
    ----------
    scan_gigabytes : float
        Data that one query may scan, in GiB; Athena cancels it beyond. Default: 10.
    hourly_gigabytes : float
        Data that all queries of an hour may scan before the alarm, in GiB. Default: 100.
    results_days : int
        How long results are kept, in days. Default: 30.

    Raises
    ------
    PropError
        When a number is out of Athena's range.

    Notes
    -----
    Source: https://docs.aws.amazon.com/athena/latest/ug/workgroups-setting-control-limits-cloudwatch.html. Lens best
    practice MLCOST01-BP01.
    """

    scan_gigabytes: float = 10
    hourly_gigabytes: float = 100
    results_days: int = 30

    def __post_init__(self) -> None:
        faults = Faults("query limits")
        least = 10_000_000 / GIGABYTE  # Athena takes no limit below 10 MB
        good = self.scan_gigabytes >= least
        faults.unless(good, "scan_gigabytes", "be at least 0.01, as 10 MB is Athena's least", self.scan_gigabytes)
        faults.unless(self.hourly_gigabytes > 0, "hourly_gigabytes", "be above 0", self.hourly_gigabytes)
        faults.unless(self.results_days >= 1, "results_days", "be at least 1", self.results_days)
        faults.raise_any()


class LakeWorkgroup(Construct):
    """An Athena workgroup whose settings a client cannot change; `DataLake` makes it.

    Parameters
    ----------
    scope, id
        As for every construct.
    limits : QueryLimits
        What queries may cost.
    encryption_key : IKey
        Key of the results.
    removal_policy : RemovalPolicy
        What becomes of the results with the stack; already decided.
    alarm_topic : ITopic, optional
        Who hears that too much was scanned. Default: nobody.

    Attributes
    ----------
    name : str
        Name of the workgroup: ``<stack>_<lake>_queries``.
    results : Bucket
        Bucket of the results, below ``results/``.

    Notes
    -----
    Source: https://docs.aws.amazon.com/athena/latest/ug/workgroups-settings-override.html. Lens best practice
    MLSEC02-BP01.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        limits: QueryLimits,
        encryption_key: kms.IKey,
        removal_policy: cdk.RemovalPolicy,
        alarm_topic: sns.ITopic | None = None,
    ) -> None:
        super().__init__(scope, id)
        self._key = encryption_key
        self._topic = alarm_topic
        aging = Lifecycle(tiering_days=None, expire_days=limits.results_days, noncurrent_days=1)
        self.results = private_bucket(self, "Results", key=encryption_key, policy=removal_policy, lifecycle=aging)
        self.resource = self._workgroup(limits)
        unreplicated(self.results, "no prop, as the query gives the same result again")
        self.name: str = self.resource.ref
        self.alarm(
            "ScanAlarm",
            AlarmRule(
                metric="ProcessedBytes",
                threshold=limits.hourly_gigabytes * GIGABYTE,
                period_minutes=60,
                description="Queries of one hour scanned more than planned: look for one without a partition.",
            ),
        )

    def grant_query(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow running queries here and reading their results, those of others too; it grants no data.

        Athena looks at the database ``default`` before every query.

        Source: https://docs.aws.amazon.com/athena/latest/ug/fine-grained-access-to-glue-resources.html
        """
        stack = cdk.Stack.of(self)
        results = Objects(bucket=self.results, key=self._key, prefixes=(RESULTS,))
        results.grant_read(grantee)
        results.grant_write(grantee)
        default = [
            stack.format_arn(service="glue", resource="catalog"),
            stack.format_arn(service="glue", resource="database", resource_name="default"),
        ]
        grants.allow(grantee, ["glue:GetDatabase"], default)
        arn = stack.format_arn(service="athena", resource="workgroup", resource_name=self.name)
        return grants.allow(grantee, [f"athena:{action}" for action in _QUERY], [arn])

    def metric(self, name: str) -> cloudwatch.Metric:
        """Return one metric of the workgroup, in ``AWS/Athena``."""
        return cloudwatch.Metric(
            namespace="AWS/Athena", metric_name=name, dimensions_map={"WorkGroup": self.name}, statistic="Sum"
        )

    def alarm(self, id: str, rule: AlarmRule) -> cloudwatch.Alarm:
        """Make an alarm on a metric of the workgroup."""
        return add_alarm(self, id, metric=self.metric(rule.metric), rule=rule, topic=self._topic)

    def _workgroup(self, limits: QueryLimits) -> athena.CfnWorkGroup:
        kind = athena.CfnWorkGroup
        results = kind.ResultConfigurationProperty(
            output_location=self.results.s3_url_for_object(RESULTS),
            expected_bucket_owner=cdk.Stack.of(self).account,
            encryption_configuration=kind.EncryptionConfigurationProperty(
                encryption_option="SSE_KMS", kms_key=self._key.key_arn
            ),
        )
        return kind(
            self,
            "Workgroup",
            name=query_name(self.node.scope or self, "queries"),
            description="Queries on the data lake",
            recursive_delete_option=True,  # what it holds is saved queries and history, no data
            work_group_configuration=kind.WorkGroupConfigurationProperty(
                enforce_work_group_configuration=True,
                publish_cloud_watch_metrics_enabled=True,
                bytes_scanned_cutoff_per_query=int(limits.scan_gigabytes * GIGABYTE),
                result_configuration=results,
            ),
        )
