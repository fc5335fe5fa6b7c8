"""Constructs for the AWS Well-Architected Machine Learning Lens.

Public names are resolved on first use, so that tools which only need the local cloud do not start a jsii kernel.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from cdk_ml_lens.core.typed import typed

if TYPE_CHECKING:
    from cdk_ml_lens.core.alarms import AlarmRule
    from cdk_ml_lens.core.container_image import ContainerImage
    from cdk_ml_lens.core.errors import Fault, PropError
    from cdk_ml_lens.core.feature_set import FeatureSet
    from cdk_ml_lens.core.feature_values import Cleaning, Normalisation, Sensor, WindowFeature
    from cdk_ml_lens.core.nag import explain
    from cdk_ml_lens.core.refs import InvocableEndpoint, PrivateNetwork, ReadingAction
    from cdk_ml_lens.core.replication import Replication
    from cdk_ml_lens.hosting.ab_test import AbTest
    from cdk_ml_lens.hosting.ab_test_size import users_for_conversion, users_for_mean
    from cdk_ml_lens.hosting.ab_test_values import AbPolicy, AbVariants, BusinessMetric
    from cdk_ml_lens.hosting.approved_deployment import ApprovedDeployment
    from cdk_ml_lens.hosting.asynchronous import AsyncInference
    from cdk_ml_lens.hosting.autoscaling import Autoscaling, ScheduledCapacity, load_test_sizing
    from cdk_ml_lens.hosting.batch_definition import TransformOptions
    from cdk_ml_lens.hosting.batch_transform import BatchTransform
    from cdk_ml_lens.hosting.capture import DataCapture
    from cdk_ml_lens.hosting.deployment_shape import EndpointShape
    from cdk_ml_lens.hosting.endpoint import ModelEndpoint
    from cdk_ml_lens.hosting.images import InferenceImage
    from cdk_ml_lens.hosting.inference_api import InferenceApi
    from cdk_ml_lens.hosting.inference_api_access import ApiAccess, Firewall
    from cdk_ml_lens.hosting.inference_api_contract import InferenceContract
    from cdk_ml_lens.hosting.inference_api_limits import ApiLimits
    from cdk_ml_lens.hosting.inference_component import ComponentResources, InferenceComponent
    from cdk_ml_lens.hosting.model import ModelArtifact, ModelSource
    from cdk_ml_lens.hosting.model_sources import MultiModelSource, PipelineSource
    from cdk_ml_lens.hosting.rebuild_endpoint import RebuildEndpoint
    from cdk_ml_lens.hosting.rollout import RollbackAlarms, Rollout
    from cdk_ml_lens.hosting.shift_checks import AnswerCheck, ShiftChecks, SyntheticRequest, VariantComparison
    from cdk_ml_lens.hosting.shift_plan import ShiftPlan
    from cdk_ml_lens.hosting.traffic_shift import TrafficShift
    from cdk_ml_lens.hosting.variants import ServerlessVariant, Variant
    from cdk_ml_lens.hosting.verified_rollout import VerifiedRollout
    from cdk_ml_lens.iot.actions import CommandDevice, Invoke, NotifyTopic
    from cdk_ml_lens.iot.dead_letter import DeadLetterStore
    from cdk_ml_lens.iot.features import Feature
    from cdk_ml_lens.iot.fleet import DeviceFleet
    from cdk_ml_lens.iot.ingestion import Ingestion
    from cdk_ml_lens.iot.prediction_log import PredictionLog
    from cdk_ml_lens.iot.scoring import NormalisationArtifact, Scoring
    from cdk_ml_lens.iot.scoring_rule import ScoringRule
    from cdk_ml_lens.iot.topics import RuleSql
    from cdk_ml_lens.lake.audit import Audit, LakeAudit
    from cdk_ml_lens.lake.classification import Classification
    from cdk_ml_lens.lake.data_lake import DataLake
    from cdk_ml_lens.lake.etl_engine import Engine, JobLimits
    from cdk_ml_lens.lake.etl_job import EtlJob
    from cdk_ml_lens.lake.etl_step import EtlStep
    from cdk_ml_lens.lake.feature_group import FeatureGroup
    from cdk_ml_lens.lake.feature_store import OfflineStore, OnlineStore
    from cdk_ml_lens.lake.lake_formation import LakeFormation
    from cdk_ml_lens.lake.lake_pipeline import LakePipeline
    from cdk_ml_lens.lake.lake_table import LakeTable
    from cdk_ml_lens.lake.lake_zone import LakeZone
    from cdk_ml_lens.lake.pipeline_trigger import PipelineTrigger
    from cdk_ml_lens.lake.quality import QualityGate, QualityRule
    from cdk_ml_lens.lake.schema import Column, Partition, Table
    from cdk_ml_lens.lake.stream_ingest import StreamIngest
    from cdk_ml_lens.lake.stream_tables import prediction_table, telemetry_table
    from cdk_ml_lens.lake.stream_values import SourceBackup, StreamSource
    from cdk_ml_lens.lake.telemetry_archive import TelemetryArchive
    from cdk_ml_lens.lake.training_dataset import TrainingDataset
    from cdk_ml_lens.lake.workgroup import LakeWorkgroup, QueryLimits
    from cdk_ml_lens.lake.zones import Lifecycle, ObjectLock, Zone
    from cdk_ml_lens.monitoring.baseline import Baseline
    from cdk_ml_lens.monitoring.dashboard_values import Runbook, WatchedEndpoint
    from cdk_ml_lens.monitoring.drift_monitor import DriftMonitor
    from cdk_ml_lens.monitoring.drift_schedule import DriftSchedule, MonitoringJob
    from cdk_ml_lens.monitoring.drift_values import CaptureSource, DriftRules
    from cdk_ml_lens.monitoring.endpoint_dashboard import EndpointDashboard
    from cdk_ml_lens.monitoring.model_monitor import ModelMonitor
    from cdk_ml_lens.monitoring.monitor_fields import AnswerFields, MonitorFile
    from cdk_ml_lens.monitoring.monitor_kinds import DataQuality, ModelBias, ModelExplainability, ModelQuality
    from cdk_ml_lens.monitoring.monitor_schedule import MonitorSchedule
    from cdk_ml_lens.monitoring.quality_monitor import QualityMonitor
    from cdk_ml_lens.monitoring.quality_values import GroundTruth, QualityBound, QualityRules
    from cdk_ml_lens.network.isolated_network import IsolatedNetwork
    from cdk_ml_lens.network.private_service import PrivateService
    from cdk_ml_lens.patterns.iot_data_lake import IotDataLake
    from cdk_ml_lens.patterns.iot_inference import IotInference
    from cdk_ml_lens.patterns.loop_settings import LoopSettings
    from cdk_ml_lens.patterns.mlops_loop import MlopsLoop
    from cdk_ml_lens.registry.approval import ApprovalPolicy
    from cdk_ml_lens.registry.model_registry import ModelRegistry
    from cdk_ml_lens.registry.reference import RegistryReference
    from cdk_ml_lens.review.checks import MlLensChecks
    from cdk_ml_lens.review.hardening import harden
    from cdk_ml_lens.review.packs import add_packs
    from cdk_ml_lens.review.rule import Finding, Rule, Severity
    from cdk_ml_lens.training.algorithm import Algorithm
    from cdk_ml_lens.training.algorithm_definition import AlgorithmDefinition
    from cdk_ml_lens.training.algorithm_parts import Evaluation, Preparation, Serving
    from cdk_ml_lens.training.auto_ml import AutoMl
    from cdk_ml_lens.training.dataset_source import DatasetSource
    from cdk_ml_lens.training.gate import ChampionMargin, MetricBound, ModelGate
    from cdk_ml_lens.training.mlflow_tracking import MlflowTracking
    from cdk_ml_lens.training.options import EvaluationResources, TrainingOptions
    from cdk_ml_lens.training.registration import Registration
    from cdk_ml_lens.training.resources import ManagedSpot, TrainingIsolation, TrainingResources
    from cdk_ml_lens.training.retraining import Retraining
    from cdk_ml_lens.training.retraining_values import RetrainingCause, RetrainingPolicy
    from cdk_ml_lens.training.secure_workbench import SecureWorkbench
    from cdk_ml_lens.training.source_code import SourceCode
    from cdk_ml_lens.training.training_image import TrainingImage
    from cdk_ml_lens.training.training_pipeline import TrainingPipeline
    from cdk_ml_lens.training.tuning import Tuning
    from cdk_ml_lens.training.tuning_ranges import ParameterRange, WarmStart
    from cdk_ml_lens.training.workbench_values import Workbench

_HOMES = {
    "AbPolicy": "hosting.ab_test_values",
    "AbTest": "hosting.ab_test",
    "AbVariants": "hosting.ab_test_values",
    "AlarmRule": "core.alarms",
    "Algorithm": "training.algorithm",
    "AlgorithmDefinition": "training.algorithm_definition",
    "AnswerCheck": "hosting.shift_checks",
    "AnswerFields": "monitoring.monitor_fields",
    "ApiAccess": "hosting.inference_api_access",
    "ApiLimits": "hosting.inference_api_limits",
    "ApprovalPolicy": "registry.approval",
    "ApprovedDeployment": "hosting.approved_deployment",
    "AsyncInference": "hosting.asynchronous",
    "Audit": "lake.audit",
    "AutoMl": "training.auto_ml",
    "Autoscaling": "hosting.autoscaling",
    "Baseline": "monitoring.baseline",
    "BatchTransform": "hosting.batch_transform",
    "BusinessMetric": "hosting.ab_test_values",
    "CaptureSource": "monitoring.drift_values",
    "ChampionMargin": "training.gate",
    "Classification": "lake.classification",
    "Cleaning": "core.feature_values",
    "Column": "lake.schema",
    "CommandDevice": "iot.actions",
    "ComponentResources": "hosting.inference_component",
    "ContainerImage": "core.container_image",
    "DataCapture": "hosting.capture",
    "DataLake": "lake.data_lake",
    "DataQuality": "monitoring.monitor_kinds",
    "DatasetSource": "training.dataset_source",
    "DeadLetterStore": "iot.dead_letter",
    "DeviceFleet": "iot.fleet",
    "DriftMonitor": "monitoring.drift_monitor",
    "DriftRules": "monitoring.drift_values",
    "DriftSchedule": "monitoring.drift_schedule",
    "EndpointDashboard": "monitoring.endpoint_dashboard",
    "EndpointShape": "hosting.deployment_shape",
    "Engine": "lake.etl_engine",
    "EtlJob": "lake.etl_job",
    "EtlStep": "lake.etl_step",
    "Evaluation": "training.algorithm_parts",
    "EvaluationResources": "training.options",
    "Fault": "core.errors",
    "Feature": "iot.features",
    "FeatureGroup": "lake.feature_group",
    "FeatureSet": "core.feature_set",
    "Finding": "review.rule",
    "Firewall": "hosting.inference_api_access",
    "GroundTruth": "monitoring.quality_values",
    "InferenceApi": "hosting.inference_api",
    "InferenceComponent": "hosting.inference_component",
    "InferenceContract": "hosting.inference_api_contract",
    "InferenceImage": "hosting.images",
    "Ingestion": "iot.ingestion",
    "InvocableEndpoint": "core.refs",
    "Invoke": "iot.actions",
    "IotDataLake": "patterns.iot_data_lake",
    "IotInference": "patterns.iot_inference",
    "IsolatedNetwork": "network.isolated_network",
    "JobLimits": "lake.etl_engine",
    "LakeAudit": "lake.audit",
    "LakeFormation": "lake.lake_formation",
    "LakePipeline": "lake.lake_pipeline",
    "LakeTable": "lake.lake_table",
    "LakeWorkgroup": "lake.workgroup",
    "LakeZone": "lake.lake_zone",
    "Lifecycle": "lake.zones",
    "LoopSettings": "patterns.loop_settings",
    "ManagedSpot": "training.resources",
    "MetricBound": "training.gate",
    "MlLensChecks": "review.checks",
    "MlflowTracking": "training.mlflow_tracking",
    "MlopsLoop": "patterns.mlops_loop",
    "ModelArtifact": "hosting.model",
    "ModelBias": "monitoring.monitor_kinds",
    "ModelEndpoint": "hosting.endpoint",
    "ModelExplainability": "monitoring.monitor_kinds",
    "ModelGate": "training.gate",
    "ModelMonitor": "monitoring.model_monitor",
    "ModelQuality": "monitoring.monitor_kinds",
    "ModelRegistry": "registry.model_registry",
    "ModelSource": "hosting.model",
    "MonitorFile": "monitoring.monitor_fields",
    "MonitorSchedule": "monitoring.monitor_schedule",
    "MonitoringJob": "monitoring.drift_schedule",
    "MultiModelSource": "hosting.model_sources",
    "Normalisation": "core.feature_values",
    "NormalisationArtifact": "iot.scoring",
    "NotifyTopic": "iot.actions",
    "ObjectLock": "lake.zones",
    "OfflineStore": "lake.feature_store",
    "OnlineStore": "lake.feature_store",
    "ParameterRange": "training.tuning_ranges",
    "Partition": "lake.schema",
    "PipelineSource": "hosting.model_sources",
    "PipelineTrigger": "lake.pipeline_trigger",
    "PredictionLog": "iot.prediction_log",
    "Preparation": "training.algorithm_parts",
    "PrivateNetwork": "core.refs",
    "PrivateService": "network.private_service",
    "PropError": "core.errors",
    "QualityBound": "monitoring.quality_values",
    "QualityGate": "lake.quality",
    "QualityMonitor": "monitoring.quality_monitor",
    "QualityRule": "lake.quality",
    "QualityRules": "monitoring.quality_values",
    "QueryLimits": "lake.workgroup",
    "ReadingAction": "core.refs",
    "RebuildEndpoint": "hosting.rebuild_endpoint",
    "Registration": "training.registration",
    "RegistryReference": "registry.reference",
    "Replication": "core.replication",
    "Retraining": "training.retraining",
    "RetrainingCause": "training.retraining_values",
    "RetrainingPolicy": "training.retraining_values",
    "RollbackAlarms": "hosting.rollout",
    "Rollout": "hosting.rollout",
    "Rule": "review.rule",
    "RuleSql": "iot.topics",
    "Runbook": "monitoring.dashboard_values",
    "ScheduledCapacity": "hosting.autoscaling",
    "Scoring": "iot.scoring",
    "ScoringRule": "iot.scoring_rule",
    "SecureWorkbench": "training.secure_workbench",
    "Sensor": "core.feature_values",
    "ServerlessVariant": "hosting.variants",
    "Serving": "training.algorithm_parts",
    "Severity": "review.rule",
    "ShiftChecks": "hosting.shift_checks",
    "ShiftPlan": "hosting.shift_plan",
    "SourceBackup": "lake.stream_values",
    "SourceCode": "training.source_code",
    "StreamIngest": "lake.stream_ingest",
    "StreamSource": "lake.stream_values",
    "SyntheticRequest": "hosting.shift_checks",
    "Table": "lake.schema",
    "TelemetryArchive": "lake.telemetry_archive",
    "TrafficShift": "hosting.traffic_shift",
    "TrainingDataset": "lake.training_dataset",
    "TrainingImage": "training.training_image",
    "TrainingIsolation": "training.resources",
    "TrainingOptions": "training.options",
    "TrainingPipeline": "training.training_pipeline",
    "TrainingResources": "training.resources",
    "TransformOptions": "hosting.batch_definition",
    "Tuning": "training.tuning",
    "Variant": "hosting.variants",
    "VariantComparison": "hosting.shift_checks",
    "VerifiedRollout": "hosting.verified_rollout",
    "WarmStart": "training.tuning_ranges",
    "WatchedEndpoint": "monitoring.dashboard_values",
    "WindowFeature": "core.feature_values",
    "Workbench": "training.workbench_values",
    "Zone": "lake.zones",
    "add_packs": "review.packs",
    "explain": "core.nag",
    "harden": "review.hardening",
    "load_test_sizing": "hosting.autoscaling",
    "prediction_table": "lake.stream_tables",
    "telemetry_table": "lake.stream_tables",
    "users_for_conversion": "hosting.ab_test_size",
    "users_for_mean": "hosting.ab_test_size",
}
__all__ = (
    "AbPolicy",
    "AbTest",
    "AbVariants",
    "AlarmRule",
    "Algorithm",
    "AlgorithmDefinition",
    "AnswerCheck",
    "AnswerFields",
    "ApiAccess",
    "ApiLimits",
    "ApprovalPolicy",
    "ApprovedDeployment",
    "AsyncInference",
    "Audit",
    "AutoMl",
    "Autoscaling",
    "Baseline",
    "BatchTransform",
    "BusinessMetric",
    "CaptureSource",
    "ChampionMargin",
    "Classification",
    "Cleaning",
    "Column",
    "CommandDevice",
    "ComponentResources",
    "ContainerImage",
    "DataCapture",
    "DataLake",
    "DataQuality",
    "DatasetSource",
    "DeadLetterStore",
    "DeviceFleet",
    "DriftMonitor",
    "DriftRules",
    "DriftSchedule",
    "EndpointDashboard",
    "EndpointShape",
    "Engine",
    "EtlJob",
    "EtlStep",
    "Evaluation",
    "EvaluationResources",
    "Fault",
    "Feature",
    "FeatureGroup",
    "FeatureSet",
    "Finding",
    "Firewall",
    "GroundTruth",
    "InferenceApi",
    "InferenceComponent",
    "InferenceContract",
    "InferenceImage",
    "Ingestion",
    "InvocableEndpoint",
    "Invoke",
    "IotDataLake",
    "IotInference",
    "IsolatedNetwork",
    "JobLimits",
    "LakeAudit",
    "LakeFormation",
    "LakePipeline",
    "LakeTable",
    "LakeWorkgroup",
    "LakeZone",
    "Lifecycle",
    "LoopSettings",
    "ManagedSpot",
    "MetricBound",
    "MlLensChecks",
    "MlflowTracking",
    "MlopsLoop",
    "ModelArtifact",
    "ModelBias",
    "ModelEndpoint",
    "ModelExplainability",
    "ModelGate",
    "ModelMonitor",
    "ModelQuality",
    "ModelRegistry",
    "ModelSource",
    "MonitorFile",
    "MonitorSchedule",
    "MonitoringJob",
    "MultiModelSource",
    "Normalisation",
    "NormalisationArtifact",
    "NotifyTopic",
    "ObjectLock",
    "OfflineStore",
    "OnlineStore",
    "ParameterRange",
    "Partition",
    "PipelineSource",
    "PipelineTrigger",
    "PredictionLog",
    "Preparation",
    "PrivateNetwork",
    "PrivateService",
    "PropError",
    "QualityBound",
    "QualityGate",
    "QualityMonitor",
    "QualityRule",
    "QualityRules",
    "QueryLimits",
    "ReadingAction",
    "RebuildEndpoint",
    "Registration",
    "RegistryReference",
    "Replication",
    "Retraining",
    "RetrainingCause",
    "RetrainingPolicy",
    "RollbackAlarms",
    "Rollout",
    "Rule",
    "RuleSql",
    "Runbook",
    "ScheduledCapacity",
    "Scoring",
    "ScoringRule",
    "SecureWorkbench",
    "Sensor",
    "ServerlessVariant",
    "Serving",
    "Severity",
    "ShiftChecks",
    "ShiftPlan",
    "SourceBackup",
    "SourceCode",
    "StreamIngest",
    "StreamSource",
    "SyntheticRequest",
    "Table",
    "TelemetryArchive",
    "TrafficShift",
    "TrainingDataset",
    "TrainingImage",
    "TrainingIsolation",
    "TrainingOptions",
    "TrainingPipeline",
    "TrainingResources",
    "TransformOptions",
    "Tuning",
    "Variant",
    "VariantComparison",
    "VerifiedRollout",
    "WarmStart",
    "WatchedEndpoint",
    "WindowFeature",
    "Workbench",
    "Zone",
    "add_packs",
    "explain",
    "harden",
    "load_test_sizing",
    "prediction_table",
    "telemetry_table",
    "users_for_conversion",
    "users_for_mean",
)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return typed(getattr(import_module(f"{__name__}.{_HOMES[name]}"), name))


def __dir__() -> list[str]:
    return sorted(__all__)
