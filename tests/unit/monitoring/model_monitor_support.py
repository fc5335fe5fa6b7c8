"""SageMaker AI's own monitors for the synth tests: each kind with the least that it takes, or with everything."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_kms as kms

from cdk_ml_lens import (
    AnswerFields,
    CaptureSource,
    DataQuality,
    GroundTruth,
    IsolatedNetwork,
    ModelBias,
    ModelExplainability,
    ModelMonitor,
    ModelQuality,
    MonitorFile,
    MonitoringJob,
    MonitorSchedule,
)
from cdk_ml_lens.monitoring.monitor_kinds import AnyKind
from tests.unit.monitoring.drift_support import KEY, bucket
from tests.unit.templates import Template

Synth = Callable[[cdk.Stack], Template]
TOKEN = "arn:aws:iam::111122223333:role/token"
KINDS = ("DataQuality", "ModelQuality", "ModelBias", "ModelExplainability")


def kind_of(stack: cdk.Stack, name: str, *, full: bool = False) -> AnyKind:
    """Return a kind with the least that it takes, or with everything."""
    files = bucket(stack, "Files")
    constraints = MonitorFile(bucket=files, key="baseline/constraints.json") if full else None
    if name == "DataQuality":
        statistics = MonitorFile(bucket=files, key="baseline/statistics.json") if full else None
        return DataQuality(constraints=constraints, statistics=statistics)
    answer = AnswerFields(inference="0")
    if full:
        features = "features" if name == "ModelBias" else None
        answer = AnswerFields(inference="label", probability="score", threshold=0.5, features=features)
    config = MonitorFile(bucket=files, key="analysis.json")
    if name == "ModelExplainability":
        found = AnswerFields(inference="label", features="features") if full else AnswerFields()
        return ModelExplainability(config=config, model_name="Pumps-1", answer=found, constraints=constraints)
    labels = GroundTruth(bucket=bucket(stack, "Labels"))
    if name == "ModelQuality":
        return ModelQuality(labels=labels, problem="BinaryClassification", answer=answer, constraints=constraints)
    return ModelBias(labels=labels, config=config, answer=answer, constraints=constraints)


def monitor(stack: cdk.Stack, name: str = "DataQuality", *, full: bool = False, **props: Any) -> ModelMonitor:
    """Make a monitor with the least props, and those that are given."""
    least: dict[str, Any] = {"kind": kind_of(stack, name, full=full)}
    if "captures" not in props:
        traffic = bucket(stack, "Traffic")
        least["captures"] = CaptureSource(bucket=traffic, endpoint_name="pumps", variant_name="primary")
    return ModelMonitor(stack, "Native", **{**least, **props})


def everything(stack: cdk.Stack) -> dict[str, Any]:
    """Return every optional prop."""
    return {
        "schedule": MonitorSchedule(every_hours=6, hour=3, label_delay_hours=48),
        "job": MonitoringJob(
            instance_type="ml.m5.2xlarge", volume_gb=50, max_minutes=60, network=IsolatedNetwork(stack, "Network")
        ),
        "bucket": bucket(stack, "Reports"),
        "encryption_key": kms.Key.from_key_arn(stack, "Own", KEY % "own"),
    }


def definition(template: Template, name: str) -> dict[str, Any]:
    return template.only(f"AWS::SageMaker::{name}JobDefinition")
