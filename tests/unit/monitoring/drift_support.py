"""Baselines and monitors for the synth tests: data that exists, and the machines' states."""

from __future__ import annotations

import json
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3

from cdk_ml_lens import Baseline, CaptureSource, DatasetSource, DriftMonitor, ModelRegistry, RegistryReference
from tests.unit.templates import Template

KEY = "arn:aws:kms:eu-west-1:111122223333:key/%s"


def bucket(stack: cdk.Stack, name: str) -> s3.IBucket:
    """Refer to an encrypted bucket of another stack."""
    key = kms.Key.from_key_arn(stack, f"{name}Key", KEY % name)
    return s3.Bucket.from_bucket_attributes(stack, name, bucket_name=name.lower(), encryption_key=key)


def registry(stack: cdk.Stack) -> RegistryReference:
    """Refer to a registry of another stack."""
    key = kms.Key.from_key_arn(stack, "RegistryKey", KEY % "registry")
    artifacts = s3.Bucket.from_bucket_attributes(stack, "Artifacts", bucket_name="artifacts", encryption_key=key)
    return ModelRegistry.from_names(stack, group_name="turbines", bucket=artifacts, encryption_key=key)


def baseline(stack: cdk.Stack, **props: Any) -> Baseline:
    """Make a baseline with the least props, and those that are given."""
    return Baseline(stack, "Baseline", **{"datasets": DatasetSource(bucket=bucket(stack, "Lake")), **props})


def monitor(stack: cdk.Stack, **props: Any) -> DriftMonitor:
    """Make a monitor with the least props, and those that are given."""
    least: dict[str, Any] = {}
    if "captures" not in props:
        traffic = bucket(stack, "Traffic")
        least["captures"] = CaptureSource(bucket=traffic, endpoint_name="pumps", variant_name="primary")
    if "baseline" not in props:
        least["baseline"] = baseline(stack, bucket=bucket(stack, "Reports"))
    return DriftMonitor(stack, "Monitor", **{**least, **props})


def definition(template: Template, part_of_id: str) -> dict[str, Any]:
    """Return a machine's definition, tokens replaced by a word."""
    machines = template.of_type("AWS::StepFunctions::StateMachine")
    ((_, machine),) = [(id, found) for id, found in machines.items() if part_of_id in id]
    body = machine["Properties"]["DefinitionString"]
    text = "".join(part if isinstance(part, str) else "token" for part in body["Fn::Join"][1])
    found: dict[str, Any] = json.loads(text)
    return found


def followers(state: dict[str, Any]) -> set[str]:
    """Return the states that may come after a state."""
    ways = [state.get("Next"), state.get("Default")]
    ways += [rule["Next"] for rule in [*state.get("Choices", []), *state.get("Catch", [])]]
    return {way for way in ways if way is not None}


def check_machine(machine: dict[str, Any]) -> set[str]:
    """Check that every task times out and is caught, and every state is reached; return the errors that are told."""
    found = machine["States"]
    for name, state in found.items():
        assert followers(state) <= set(found), name
        if state["Type"] == "Task":
            assert state["TimeoutSeconds"] > 0, name
            assert state["Catch"][-1]["ErrorEquals"] == ["States.ALL"], name
    reached = {machine["StartAt"]}
    while new := {after for name in reached for after in followers(found[name])} - reached:
        reached |= new
    assert reached == set(found)
    caught = [catch for state in found.values() for catch in state.get("Catch", [])]
    return {catch["Assign"]["error"] for catch in caught if "Assign" in catch}
