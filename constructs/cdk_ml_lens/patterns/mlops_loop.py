"""MlopsLoop: from a lake's features to a served model, and back to training when the traffic has drifted."""

from __future__ import annotations

from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from constructs import Construct

from cdk_ml_lens.hosting.approved_deployment import ApprovedDeployment
from cdk_ml_lens.hosting.deployment_shape import EndpointShape
from cdk_ml_lens.hosting.shift_checks import SyntheticRequest
from cdk_ml_lens.lake.lake_pipeline import LakePipeline
from cdk_ml_lens.lake.training_dataset import TrainingDataset
from cdk_ml_lens.monitoring.baseline import Baseline
from cdk_ml_lens.monitoring.drift_monitor import DriftMonitor
from cdk_ml_lens.monitoring.drift_values import CaptureSource
from cdk_ml_lens.patterns.loop_settings import LoopSettings
from cdk_ml_lens.registry.model_registry import ModelRegistry
from cdk_ml_lens.training.algorithm import Algorithm
from cdk_ml_lens.training.dataset_source import DatasetSource
from cdk_ml_lens.training.gate import ModelGate
from cdk_ml_lens.training.retraining import Retraining
from cdk_ml_lens.training.retraining_values import RetrainingCause
from cdk_ml_lens.training.training_pipeline import TrainingPipeline


class MlopsLoop(Construct):
    """Dataset → training → gate → registry → approval → guarded deployment → drift monitor → training again.

    Parameters
    ----------
    scope, id
        As for every construct.
    preparation : LakePipeline
        Makes the features; each of its runs then ends with a dataset.
    algorithm : Algorithm
        What is trained and served.
    gate : ModelGate
        What a candidate must fulfil.
    verification : SyntheticRequest
        What a deployed version must answer.
    settings : LoopSettings, optional
        The rest. Default: ``LoopSettings()``.
    encryption_key : IKey, optional
        Customer managed key of models, captures, reports and records. Default: a new one; the lake keeps its own.
    alarm_topic : ITopic, optional
        Who hears of failures, refusals and drift. Default: nobody.

    Attributes
    ----------
    dataset, registry, training, deployment, baseline, monitor, retraining : the parts

    Notes
    -----
    Lens best practices MLOPS05-BP01, MLOPS06-BP01, MLOPS07-BP01, MLOPS07-BP02, MLREL04-BP01; Lens figures 4 and 13.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        preparation: LakePipeline,
        algorithm: Algorithm,
        gate: ModelGate,
        verification: SyntheticRequest,
        settings: LoopSettings | None = None,
        encryption_key: kms.IKey | None = None,
        alarm_topic: sns.ITopic | None = None,
    ) -> None:
        super().__init__(scope, id)
        wanted, topic = LoopSettings() if settings is None else settings, alarm_topic
        shape = EndpointShape(images=(algorithm.serving.image,)) if wanted.shape is None else wanted.shape
        self.dataset = TrainingDataset(self, "Dataset", pipeline=preparation, alarm_topic=topic)
        bucket, prefix, lakes = self.dataset.bucket, self.dataset.prefix.strip("/"), self.dataset.encryption_key
        datasets = DatasetSource(bucket=bucket, prefix=prefix, encryption_key=lakes)
        self.registry = ModelRegistry(self, "Registry", approval=wanted.approval, encryption_key=encryption_key)
        key = self.registry.encryption_key
        self.training = TrainingPipeline(
            self, "Training", algorithm=algorithm, datasets=datasets, registry=self.registry, gate=gate,
            options=wanted.training, registration=wanted.registration, alarm_topic=topic,
        )  # fmt: skip
        self.deployment = ApprovedDeployment(
            self, "Deployment", registry=self.registry, verification=verification, shape=shape,
            rollout=wanted.rollout, encryption_key=key, alarm_topic=topic,
        )  # fmt: skip
        self.baseline = Baseline(
            self, "Baseline", datasets=datasets, registry=self.registry, job=wanted.monitoring,
            encryption_key=key, alarm_topic=topic,
        )  # fmt: skip
        self.baseline.follow("Deployed", self.deployment)
        self.monitor = DriftMonitor(
            self, "Drift", captures=CaptureSource.of(self.deployment), baseline=self.baseline, rules=wanted.rules,
            schedule=wanted.schedule, job=wanted.monitoring, alarm_topic=topic,
        )  # fmt: skip
        self.retraining = Retraining(
            self, "Retraining", pipeline=self.training, datasets=datasets, preparation=preparation,
            causes=[RetrainingCause.drift(self.monitor.drift_alarm), *wanted.causes], policy=wanted.policy,
            encryption_key=key, alarm_topic=topic,
        )  # fmt: skip
