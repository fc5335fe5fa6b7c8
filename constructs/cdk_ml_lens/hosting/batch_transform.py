"""BatchTransform: score what lies in S3, joined with its input, as a state machine with a failure destination."""

from __future__ import annotations

import re

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sagemaker as sagemaker
from aws_cdk import aws_sns as sns
from constructs import Construct

from cdk_ml_lens.core import grants
from cdk_ml_lens.core.alarms import AlarmRule, add_alarm
from cdk_ml_lens.core.cost import job_tags
from cdk_ml_lens.core.errors import Faults
from cdk_ml_lens.core.keys import key_or_new
from cdk_ml_lens.core.machine import DefinedMachine
from cdk_ml_lens.core.nag import acknowledge, finding_of
from cdk_ml_lens.hosting import rendering
from cdk_ml_lens.hosting.batch_definition import TransformOptions, definition
from cdk_ml_lens.hosting.execution_role import ExecutionRole
from cdk_ml_lens.hosting.model import ModelSource
from cdk_ml_lens.iot.dead_letter import DeadLetterStore

_PREFIX = re.compile(r"[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*")
_FAILURES = AlarmRule(
    metric="ExecutionsFailed", threshold=0, description="A batch failed: its cause is in the dead letters."
)


class BatchTransform(Construct):
    """Transform jobs as a state machine: start it with ``{"folder": "2026-11-21"}`` to score one folder of the input.

    Parameters
    ----------
    scope, id
        As for every construct.
    model : ModelSource
        What scores.
    bucket : IBucket
        Holds input and output.
    input_prefix, output_prefix : str
        Where records lie, and where answers go. Default: ``input`` and ``output``.
    options : TransformOptions, optional
        How a batch is cut, filtered and joined. Default: CSV lines, joined.
    encryption_key : IKey, optional
        Customer managed key of the bucket, the volumes and the logs. Default: a new one.
    alarm_topic : ITopic, optional
        Who hears of failures. Default: nobody.

    Attributes
    ----------
    machine : DefinedMachine
    dead_letters : DeadLetterStore
        Failed batches with their cause.

    Notes
    -----
    Source: https://docs.aws.amazon.com/step-functions/latest/dg/connect-sagemaker.html. Lens best
    practice MLCOST05-BP01.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        model: ModelSource,
        bucket: s3.IBucket,
        input_prefix: str = "input",
        output_prefix: str = "output",
        options: TransformOptions | None = None,
        encryption_key: kms.IKey | None = None,
        alarm_topic: sns.ITopic | None = None,
    ) -> None:
        _check_prefixes(input_prefix, output_prefix)
        super().__init__(scope, id)
        key = key_or_new(self, encryption_key, description="Encrypts batch transform volumes, answers and logs")
        self._alarm_topic = alarm_topic
        execution = ExecutionRole(self, "Execution", models=[model], log_group=None)
        execution.transform(bucket, input_prefix, output_prefix, key)
        made = sagemaker.CfnModel(
            self,
            "Model",
            execution_role_arn=execution.role.role_arn,
            enable_network_isolation=True,
            vpc_config=rendering.network(model),
            **rendering.containers(self, model),
        )
        made.node.add_dependency(execution)
        self.dead_letters = DeadLetterStore(self, "DeadLetters", encryption_key=key, alarm_topic=alarm_topic)
        self.machine = DefinedMachine(
            self,
            "Machine",
            encryption_key=key,
            definition=definition(
                model_name=made.attr_model_name,
                source=f"s3://{bucket.bucket_name}/{input_prefix}",
                target=f"s3://{bucket.bucket_name}/{output_prefix}",
                options=TransformOptions() if options is None else options,
                key_arn=key.key_arn,
                failures_url=self.dead_letters.queue.queue_url,
                tags=job_tags(self),
            ),
        )
        self._allow()
        self.alarm("FailureAlarm", _FAILURES)

    def grant_start(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow to start a batch."""
        return self.machine.grant_start(grantee)

    def metric(self, name: str) -> cloudwatch.Metric:
        """Return one metric of the state machine."""
        return self.machine.metric(name)

    def alarm(self, id: str, rule: AlarmRule) -> cloudwatch.Alarm:
        """Make an alarm on a metric of the state machine."""
        return add_alarm(self, id, metric=self.metric(rule.metric), rule=rule, topic=self._alarm_topic)

    def _allow(self) -> None:
        """What ``createTransformJob.sync``, which tags the job that it starts, and the failure message call.

        Sources: https://docs.aws.amazon.com/step-functions/latest/dg/sagemaker-iam.html,
        https://github.com/aws/aws-cdk/issues/26012
        """
        stack, role = cdk.Stack.of(self), self.machine.role
        jobs = stack.format_arn(service="sagemaker", resource="transform-job", resource_name="*")
        actions = ("AddTags", "CreateTransformJob", "DescribeTransformJob", "ListTags", "StopTransformJob")
        grants.allow(role, [f"sagemaker:{action}" for action in actions], [jobs])
        acknowledge(role, f"IAM5[{finding_of(self, jobs)}]", "A job is named after the execution that starts it.")
        managed = stack.format_arn(
            service="events", resource="rule", resource_name="StepFunctionsGetEventsForSageMakerTransformJobsRule"
        )
        grants.allow(role, ["events:DescribeRule", "events:PutRule", "events:PutTargets"], [managed])
        self.dead_letters.grant_send(role)


def _check_prefixes(source: str, target: str) -> None:
    faults = Faults("batch transform")
    for prop, prefix in (("input_prefix", source), ("output_prefix", target)):
        faults.unless(_PREFIX.fullmatch(prefix) is not None, prop, "be path levels of A-Z a-z 0-9 _ -", prefix)
    faults.unless(source != target, "output_prefix", "differ from input_prefix", target)
    faults.raise_any()
