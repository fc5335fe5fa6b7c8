"""How to make every public construct: the least props that work. What is missing here fails a test."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import aws_cdk as cdk

import cdk_ml_lens as ml
from tests.unit.fuzz.place import Place

Props = dict[str, Any]


def _ab_test(at: Place) -> Props:
    users = ml.users_for_conversion(baseline=0.04, effect=0.02)
    return {
        "endpoint": at.endpoint,
        "variants": ml.AbVariants(control="a", treatment="b"),
        "metric": ml.BusinessMetric.conversion(window_hours=24),
        "policy": ml.AbPolicy.fixed_split(effect=0.02, max_users=users),
    }


def _etl_job(at: Place) -> Props:
    return {"step": ml.EtlStep.clean(source=at.table, target=at.prepared, feature_set=at.features)}


def _loop(at: Place) -> Props:
    return {
        "preparation": at.preparation,
        "algorithm": ml.Algorithm.isolation_forest(),
        "gate": at.gate,
        "verification": at.request,
    }


def _quality(at: Place) -> Props:
    bound = ml.QualityBound(metric="recall", bound=0.8, direction="at_least")
    return {
        "captures": at.captures,
        "labels": ml.GroundTruth(bucket=at.bucket),
        "rules": ml.QualityRules(bounds=[bound]),
        "baseline": at.baseline,
    }


def _zone(at: Place) -> Props:
    return {"zone": ml.Zone(name="raw"), "encryption_key": at.key, "removal_policy": cdk.RemovalPolicy.RETAIN}


def _workgroup(at: Place) -> Props:
    retain = cdk.RemovalPolicy.RETAIN
    return {"limits": ml.QueryLimits(), "encryption_key": at.key, "removal_policy": retain}


def _training(at: Place) -> Props:
    algorithm = ml.Algorithm.isolation_forest()
    return {"algorithm": algorithm, "datasets": at.datasets, "registry": at.registry, "gate": at.gate}


def _verified(at: Place) -> Props:
    props = {"endpoint": at.cfn_endpoint, "config": at.config, "encryption_key": at.key}
    return {**props, "endpoint_arn": "arn:aws:sagemaker:eu-west-1:111122223333:endpoint/a"}


RECIPES: dict[str, Callable[[Place], Props]] = {
    "AbTest": _ab_test,
    "ApprovedDeployment": lambda at: {"registry": at.registry, "verification": at.request},
    "Baseline": lambda at: {"datasets": at.datasets, "bucket": at.bucket},
    "BatchTransform": lambda at: {"model": at.model, "bucket": at.bucket},
    "DataLake": lambda at: {},
    "DeadLetterStore": lambda at: {"encryption_key": at.key},
    "DeviceFleet": lambda at: {},
    "DriftMonitor": lambda at: {"captures": at.captures, "baseline": at.baseline},
    "EndpointDashboard": lambda at: {"endpoint": ml.WatchedEndpoint(endpoint_name="pumps", variants=["primary"])},
    "EtlJob": _etl_job,
    "FeatureGroup": lambda at: {"feature_set": at.features, "online": ml.OnlineStore()},
    "InferenceApi": lambda at: {
        "endpoint": at.endpoint,
        "contract": ml.InferenceContract.of_features([ml.Feature(name="temperature")]),
    },
    "InferenceComponent": lambda at: {
        "endpoint": at.host,
        "model": at.model,
        "resources": ml.ComponentResources(memory_mb=1024),
    },
    "IotDataLake": lambda at: {"lake": at.lake, "fleet": at.fleet, "feature_set": at.features},
    "IotInference": lambda at: {
        "variants": [ml.Variant(name="primary", model=at.model)],
        "features": [ml.Feature(name="temperature")],
    },
    "IsolatedNetwork": lambda at: {},
    "LakeAudit": lambda at: {"settings": ml.Audit(), "buckets": [at.bucket]},
    "LakePipeline": lambda at: {"lake": at.lake, "source": at.table, "feature_set": at.features},
    "LakeTable": lambda at: {
        "table": ml.Table(name="made", columns=[ml.Column(name="x")]),
        "zone": at.lake.zone("raw"),
    },
    "LakeWorkgroup": _workgroup,
    "LakeZone": _zone,
    "MlflowTracking": lambda at: {},
    "MlopsLoop": _loop,
    "ModelEndpoint": lambda at: {"variants": [ml.Variant(name="primary", model=at.model)]},
    "ModelMonitor": lambda at: {"kind": ml.DataQuality(), "captures": at.captures},
    "ModelRegistry": lambda at: {},
    "NotifyTopic": lambda at: {},
    "PredictionLog": lambda at: {},
    "QualityMonitor": _quality,
    "RebuildEndpoint": lambda at: {"deployment": at.deployment},
    "Retraining": lambda at: {
        "pipeline": at.training,
        "datasets": at.datasets,
        "causes": [ml.RetrainingCause.every(hours=1)],
    },
    "ScoringRule": lambda at: {"sql": at.sql, "scoring": at.scoring},
    "SecureWorkbench": lambda at: {"workbench": ml.Workbench.notebook(), "network": at.isolated},
    "StreamIngest": lambda at: {"table": at.table},
    "TelemetryArchive": lambda at: {"sql": at.sql, "ingest": at.ingest},
    "TrafficShift": lambda at: {"endpoint": at.endpoint, "plan": ml.ShiftPlan.linear(step_percent=20, bake_minutes=15)},
    "TrainingDataset": lambda at: {"pipeline": at.preparation},
    "TrainingPipeline": _training,
    "VerifiedRollout": _verified,
}
