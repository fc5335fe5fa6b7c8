"""Training pipelines for the synth tests: a registry and datasets that exist, and the machine's states."""

from __future__ import annotations

import json
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3

from cdk_ml_lens import (
    Algorithm,
    DatasetSource,
    MetricBound,
    ModelGate,
    ModelRegistry,
    RegistryReference,
    TrainingPipeline,
)
from tests.unit.templates import Template

GATE = ModelGate(bounds=[MetricBound(metric="alert_rate", bound=0.05, direction="at_most")])


def registry(stack: cdk.Stack) -> RegistryReference:
    """Refer to a registry of another stack."""
    key = kms.Key.from_key_arn(stack, "RegistryKey", "arn:aws:kms:eu-west-1:111122223333:key/registry")
    bucket = s3.Bucket.from_bucket_attributes(stack, "Artifacts", bucket_name="artifacts", encryption_key=key)
    return ModelRegistry.from_names(stack, group_name="Turbines", bucket=bucket, encryption_key=key)


def pipeline(stack: cdk.Stack, **props: Any) -> TrainingPipeline:
    """Make a pipeline with the least props, and those that are given."""
    lake = s3.Bucket.from_bucket_name(stack, "Lake", "lake")
    least = {
        "algorithm": Algorithm.isolation_forest(),
        "datasets": DatasetSource(bucket=lake),
        "registry": registry(stack),
        "gate": GATE,
    }
    return TrainingPipeline(stack, "Pipeline", **{**least, **props})


def definition(template: Template) -> dict[str, Any]:
    """Return the machine's definition, tokens replaced by a word."""
    body = template.only("AWS::StepFunctions::StateMachine")["DefinitionString"]
    text = "".join(part if isinstance(part, str) else "token" for part in body["Fn::Join"][1])
    found: dict[str, Any] = json.loads(text)
    return found


def followers(state: dict[str, Any]) -> set[str]:
    """Return the states that may come after a state."""
    ways = [state.get("Next"), state.get("Default")]
    ways += [rule["Next"] for rule in [*state.get("Choices", []), *state.get("Catch", [])]]
    return {way for way in ways if way is not None}
