"""RebuildEndpoint: recreates an endpoint at a version from the version's manifest alone."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from constructs import Construct

from cdk_ml_lens.core.alarms import AlarmRule, add_alarm
from cdk_ml_lens.hosting.approved_deployment import MACHINE_ALARMS, ApprovedDeployment

REBUILDS_TAG = "cdk-ml-lens:rebuilds"


class RebuildEndpoint(Construct):
    """A state machine that serves any version of a registry again: after a loss, or to go back.

    Start it with ``{"version": "…"}`` or ``{"manifest": "s3://…"}``. The model is made of the image and the artifact
    that the manifest names, whose hash is checked; neither the model package nor any old model is needed. An endpoint
    that exists is updated behind the guardrails of `ApprovedDeployment`.

    Parameters
    ----------
    scope, id
        As for every construct.
    deployment : ApprovedDeployment
        Of the endpoint to rebuild: its role, shape, guardrails and verification are used.
    alarm_topic : ITopic, optional
        Who hears of failed rebuilds. Default: nobody.

    Attributes
    ----------
    machine : DefinedMachine

    Notes
    -----
    No approval is asked for: who may start it decides. Lens best practices MLREL05-BP01, MLREL05-BP02.
    """

    def __init__(
        self, scope: Construct, id: str, *, deployment: ApprovedDeployment, alarm_topic: sns.ITopic | None = None
    ) -> None:
        super().__init__(scope, id)
        self._alarm_topic = alarm_topic
        self.endpoint = deployment.endpoint
        self.machine = deployment.parts.machine(self, "rebuild")
        self.machine.machine.node.add_dependency(deployment.machine)
        # ``ml-lens rebuild`` finds the machine of an endpoint by this tag.
        cdk.Tags.of(self.machine.machine).add(REBUILDS_TAG, self.endpoint.endpoint_name)
        for alarm_id, rule in MACHINE_ALARMS.items():
            self.alarm(alarm_id, rule)

    def grant_start(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow to rebuild the endpoint at any version of the registry."""
        return self.machine.grant_start(grantee)

    def metric(self, name: str) -> cloudwatch.Metric:
        """Return one metric of the state machine, in ``AWS/States``."""
        return self.machine.metric(name)

    def alarm(self, id: str, rule: AlarmRule) -> cloudwatch.Alarm:
        """Make an alarm on a metric of the state machine."""
        return add_alarm(self, id, metric=self.metric(rule.metric), rule=rule, topic=self._alarm_topic)
