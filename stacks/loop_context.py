"""What the context decides about the loop's stack, as the loop's own values, and the names that a client needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from constructs import Node

from cdk_ml_lens import (
    Algorithm,
    AnswerCheck,
    ApprovalPolicy,
    ChampionMargin,
    DriftRules,
    DriftSchedule,
    FeatureSet,
    LoopSettings,
    MetricBound,
    MlopsLoop,
    ModelGate,
    MonitoringJob,
    Registration,
    RetrainingCause,
    RetrainingPolicy,
    Rollout,
    Sensor,
    SyntheticRequest,
    TrainingOptions,
    TrainingResources,
)

JSON_LINES = "application/jsonlines"
WEEKLY = "0 3 ? * MON *"


@dataclass(frozen=True)
class LoopContext:
    """Reads the context of a node.

    Context
    -------
    approval : ``manual`` or ``automatic``. Default: manual.
    instance_type : of training and endpoint. Default: ml.m5.large.
    quantile : share of normal rows below the model's threshold. Default: 0.995.
    most_alerts : share of the test split that a candidate may call anomalous. Default: 0.05.
    least_auc : area under the ROC curve that a candidate must reach on injected faults. Default: 0.7.
    bake_minutes : of each step of the canary. Default: 15.
    monitor_minutes, monitor_delay_minutes, monitor_rows : windows of traffic. Default: 1440, 10, 100.
    causes : of ``data``, ``weekly``, joined by commas, beside drift. Default: both.
    rate_seconds : over which rates of change are taken. Default: 3600.
    cool_down_minutes, minimum_new_rows, look_minutes : of retraining. Default: 360, 1000, 15.
    """

    node: Node

    def features(self, sensors: Sequence[str]) -> FeatureSet:
        """Return the features of a turbine's sensors."""
        named = [Sensor(name=name) for name in sensors]
        return FeatureSet.standard(sensors=named, rate_seconds=self._whole("rate_seconds", 3600))

    def algorithm(self) -> Algorithm:
        """Return what is trained."""
        return Algorithm.isolation_forest(quantile=float(self._get("quantile", 0.995)))

    def gate(self) -> ModelGate:
        """Return what a candidate must fulfil."""
        return ModelGate(
            bounds=[
                MetricBound(metric="alert_rate", bound=float(self._get("most_alerts", 0.05)), direction="at_most"),
                MetricBound(metric="auc_injected", bound=float(self._get("least_auc", 0.7)), direction="at_least"),
            ],
            margins=[ChampionMargin(metric="auc_injected", margin=0.05, direction="at_least")],
        )

    def verification(self, features: tuple[str, ...]) -> SyntheticRequest:
        """Return a request with a number for every feature; any score will do."""
        body, expect = {"features": [1.0] * len(features)}, AnswerCheck(path="score", minimum=-1e9)
        return SyntheticRequest(body=body, content_type=JSON_LINES, accept=JSON_LINES, expect=expect)

    def settings(self) -> LoopSettings:
        """Return instances, approval, roll-out, monitoring and retraining."""
        instance = str(self._get("instance_type", "ml.m5.large"))
        by_person = self._get("approval", "manual") == "manual"
        return LoopSettings(
            training=TrainingOptions(resources=TrainingResources(instance_type=instance)),
            approval=ApprovalPolicy.manual() if by_person else ApprovalPolicy.automatic(),
            registration=Registration(instance_type=instance),
            rollout=Rollout.canary(percent=10, bake_minutes=self._whole("bake_minutes", 15)),
            rules=DriftRules(minimum_rows=self._whole("monitor_rows", 100)),
            schedule=DriftSchedule(
                every_minutes=self._whole("monitor_minutes", 1440),
                delay_minutes=self._whole("monitor_delay_minutes", 10),
            ),
            monitoring=MonitoringJob(),
            causes=self._causes(),
            policy=RetrainingPolicy(
                cool_down_minutes=self._whole("cool_down_minutes", 360),
                minimum_new_rows=self._whole("minimum_new_rows", 1000),
                look_minutes=self._whole("look_minutes", 15),
            ),
        )

    def _causes(self) -> list[RetrainingCause]:
        known = {"data": RetrainingCause.new_data(), "weekly": RetrainingCause.cron(WEEKLY)}
        return [known[name] for name in str(self._get("causes", "data,weekly")).split(",") if name]

    def _whole(self, name: str, default: int) -> int:
        return int(str(self._get(name, default)))

    def _get(self, name: str, default: Any) -> Any:
        given = self.node.try_get_context(name)
        return default if given is None else given


def outputs(loop: MlopsLoop) -> dict[str, str]:
    """Return the names of the parts, by the name of an output."""
    return {
        "DatasetBucketName": loop.dataset.bucket.bucket_name,
        "DatasetPrefix": loop.dataset.prefix,
        "TrainingArn": loop.training.machine.arn,
        "ModelGroupName": loop.registry.group_name,
        "ArtifactBucketName": loop.registry.bucket.bucket_name,
        "DeploymentArn": loop.deployment.machine.arn,
        "EndpointName": loop.deployment.endpoint_name,
        "BaselineArn": loop.baseline.machine.arn,
        "ReportBucketName": loop.baseline.bucket.bucket_name,
        "MonitorArn": loop.monitor.machine.arn,
        "MonitorName": loop.monitor.name,
        "DriftAlarmName": loop.monitor.drift_alarm.alarm_name,
        "RetrainingFunction": loop.retraining.handler.function.function_name,
        "RetrainingName": loop.retraining.name,
    }
