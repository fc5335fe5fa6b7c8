"""One good value of every public value object, and objects of other kinds, as constructs take them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import cdk_ml_lens as ml
from tests.unit.fuzz.place import Place

FOLDER = Path(__file__).resolve().parents[3] / "model_src" / "drift"


def _rule(found: Iterable[Any] = ()) -> Callable[[Any], Iterable[Any]]:
    return lambda template: found


def _images(at: Place) -> list[Any]:
    return [
        ml.ContainerImage(repository="own", tag="1"),
        ml.TrainingImage.sklearn(),
        ml.InferenceImage.sklearn(),
        ml.Serving(image=ml.ContainerImage(repository="own", tag="1")),
        ml.SourceCode(folder=FOLDER, program="judge.py"),
        ml.Evaluation(source=ml.SourceCode(folder=FOLDER, program="judge.py"), image=ml.TrainingImage.sklearn()),
        ml.Preparation(source=ml.SourceCode(folder=FOLDER, program="judge.py"), image=ml.TrainingImage.sklearn()),
        ml.Algorithm.isolation_forest(),
        ml.AutoMl(role=at.role, target="y", problem="BinaryClassification", objective="F1"),
        ml.ModelArtifact.from_bucket(at.bucket, "model.tar.gz"),
        at.model,
        ml.MultiModelSource(bucket=at.bucket, prefix="models"),
        ml.PipelineSource(stages=[at.model, at.model]),
    ]


def _training(at: Place) -> list[Any]:
    numbers = ml.ParameterRange.integer("trees", 50, 400)
    return [
        numbers,
        ml.Tuning.bayesian(metric="auc", goal="Maximize", ranges=[numbers]),
        ml.WarmStart(parents=["earlier"]),
        ml.ManagedSpot(max_wait_minutes=120),
        ml.TrainingResources(),
        ml.TrainingIsolation(),
        ml.TrainingOptions(),
        ml.EvaluationResources(),
        ml.Registration(),
        ml.MetricBound(metric="alert_rate", bound=0.05, direction="at_most"),
        ml.ChampionMargin(metric="auc", margin=0.02, direction="at_least"),
        at.gate,
        at.datasets,
        ml.RetrainingCause.new_data(),
        ml.RetrainingCause.every(hours=3),
        ml.RetrainingPolicy(),
        ml.Workbench.notebook(),
        ml.Workbench.studio(),
        ml.ApprovalPolicy.manual(),
        ml.ObjectLock(days=30),
        ml.Replication(bucket=at.bucket, encryption_key=at.key),
        ml.LoopSettings(),
    ]


def _lake(at: Place) -> list[Any]:
    return [
        ml.Zone(name="raw"),
        ml.Lifecycle(),
        ml.Audit(),
        ml.Classification(),
        ml.QueryLimits(),
        ml.LakeFormation(admins=[at.role]),
        ml.Column(name="x", type="double"),
        ml.Partition.date(),
        ml.Partition.integer("hour", minimum=0, maximum=23),
        ml.Table(name="telemetry", columns=[ml.Column(name="x")]),
        ml.Sensor(name="temperature"),
        ml.WindowFeature(name="mean", statistic="mean", sensor="temperature", window_seconds=300),
        ml.Cleaning(),
        ml.Normalisation(),
        at.features,
        ml.NormalisationArtifact(bucket=at.bucket, key="parameters.json"),
        ml.Engine.single_node(),
        ml.Engine.spark(),
        ml.JobLimits(),
        ml.QualityRule.row_count(at_least=1),
        ml.QualityGate(),
        ml.PipelineTrigger.every(minutes=60),
        ml.PipelineTrigger.arrival(),
        ml.EtlStep.clean(source=at.table, target=at.prepared, feature_set=at.features),
        ml.OnlineStore(),
        ml.OfflineStore(bucket=at.bucket),
        ml.SourceBackup(),
        ml.StreamSource.direct(),
    ]


def _hosting(at: Place) -> list[Any]:
    return [
        ml.Variant(name="primary", model=at.model),
        ml.ServerlessVariant(name="serverless", model=at.model),
        ml.Autoscaling(max_capacity=4),
        ml.ScheduledCapacity(cron="0 6 * * ? *", min_capacity=1, max_capacity=2),
        ml.AsyncInference(),
        ml.DataCapture(),
        ml.Rollout.canary(percent=10, bake_minutes=15),
        ml.Rollout.all_at_once(),
        ml.RollbackAlarms(),
        ml.ComponentResources(memory_mb=1024),
        ml.EndpointShape(),
        ml.TransformOptions(),
        ml.ShiftPlan.linear(step_percent=20, bake_minutes=15),
        ml.ShiftPlan.blue_green(bake_minutes=15),
        ml.ShiftChecks(),
        ml.VariantComparison(),
        ml.AnswerCheck(path="score", minimum=0),
        at.request,
        ml.AbVariants(control="a", treatment="b"),
        ml.BusinessMetric.conversion(window_hours=24),
        ml.AbPolicy.thompson(effect=0.01, max_users=200_000, warm_up_users=2000, evaluate_minutes=30),
        ml.ApiAccess.iam(),
        ml.ApiAccess.api_key(clients=["partner"]),
        ml.ApiLimits(),
        ml.Firewall.managed(),
        ml.InferenceContract.of_features([ml.Feature(name="temperature")]),
    ]


def _watching(at: Place) -> list[Any]:
    config = ml.MonitorFile(bucket=at.bucket, key="analysis.json")
    labels, answer = ml.GroundTruth(bucket=at.bucket), ml.AnswerFields(inference="0")
    return [
        config,
        labels,
        answer,
        at.captures,
        ml.DataQuality(),
        ml.ModelQuality(labels=labels, problem="BinaryClassification", answer=answer),
        ml.ModelBias(labels=labels, config=config, answer=answer),
        ml.ModelExplainability(config=config, model_name="pumps"),
        ml.MonitorSchedule(),
        ml.MonitoringJob(),
        ml.DriftRules(),
        ml.DriftSchedule(),
        ml.QualityBound(metric="recall", bound=0.8, direction="at_least"),
        ml.QualityRules(bounds=[ml.QualityBound(metric="recall", bound=0.8, direction="at_least")]),
        ml.Runbook(url="https://wiki.example.org/pumps", of=[at.alarm]),
        ml.WatchedEndpoint(endpoint_name="pumps", variants=["primary"]),
        ml.AlarmRule(metric="Errors", threshold=1),
    ]


def _devices(at: Place) -> list[Any]:
    return [
        ml.Feature(name="temperature"),
        at.sql,
        at.scoring,
        ml.CommandDevice(fleet=at.fleet),
        ml.Invoke.lambda_function(at.function),
        ml.PrivateService(service="sqs"),
        ml.Fault(prop="a", rule="be b", value=1),
        ml.Finding(logical_id="A", message="b"),
        ml.Rule(
            id="X1",
            title="t",
            practices=("MLSEC01-BP01",),
            severity=ml.Severity.ERROR,
            explanation="e",
            fix="f",
            source="https://docs.aws.amazon.com/",
            check=_rule(),
        ),
    ]


def good_values(at: Place) -> list[Any]:
    """Return at least one of every public value object."""
    return [*_images(at), *_training(at), *_lake(at), *_hosting(at), *_watching(at), *_devices(at)]
