"""Examples: each synthesizes, passes cdk-nag, and does what its documentation page says about it."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_sqs as sqs

from tests.unit.templates import Template

ROOT = Path(__file__).resolve().parents[2]
NAMES = sorted(path.stem for path in (ROOT / "examples").glob("*.py") if not path.stem.startswith("test_"))

Synth = Callable[[cdk.Stack], Template]


def example(name: str) -> Any:
    return importlib.import_module(f"examples.{name}")


def test_there_is_an_example_for_each_construct() -> None:
    constructs = {"device_fleet", "scoring_rule", "actions", "prediction_log", "model_endpoint", "iot_inference"}
    assert constructs <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_example_synthesizes_and_passes_nag(name: str, app: cdk.App, nag: Callable[[cdk.Stack], list[str]]) -> None:
    stack = example(name).build(app)
    assert nag(stack) == []
    assert app.synth().get_stack_by_name(stack.stack_name).template["Resources"]


def test_nag_would_see_a_careless_example(app: cdk.App, nag: Callable[[cdk.Stack], list[str]]) -> None:
    stack = example("actions").build(app)
    sqs.Queue(stack, "Careless")
    assert "AwsSolutions-SQS4 Actions/Careless/Resource" in nag(stack)


def test_hook_admits_own_serial_numbers_only() -> None:
    code: dict[str, Any] = {}
    exec(example("device_fleet").HOOK, code)
    answers = {
        serial: code["handler"]({"parameters": {"SerialNumber": serial}}, None)
        for serial in ("turbine-07", "toaster-07", "")
    }
    assert [answer["allowProvisioning"] for answer in answers.values()] == [True, False, False]


def test_fleet_example_asks_the_hook_and_registers_the_gateway(app: cdk.App, synth: Synth) -> None:
    template = synth(example("device_fleet").build(app))
    hook = template.only("AWS::IoT::ProvisioningTemplate")["PreProvisioningHook"]
    assert "Hook" in str(hook["TargetArn"])
    assert template.only("AWS::IoT::Thing")["ThingName"] == "gateway-01"
    assert "CERTIFICATE REQUEST" in template.only("AWS::IoT::Certificate")["CertificateSigningRequest"]


def test_scoring_rule_example_has_one_rule_of_each_kind(app: cdk.App, synth: Synth) -> None:
    template = synth(example("scoring_rule").build(app))
    payloads = [rule["Properties"]["TopicRulePayload"] for rule in template.of_type("AWS::IoT::TopicRule").values()]
    assert sorted(next(iter(payload["Actions"][0])) for payload in payloads) == ["Kinesis", "Lambda", "Sqs"]
    assert all("Sqs" in payload["ErrorAction"] for payload in payloads)


def test_endpoint_example_splits_the_traffic(app: cdk.App, synth: Synth) -> None:
    variants = synth(example("model_endpoint").build(app)).only("AWS::SageMaker::EndpointConfig")["ProductionVariants"]
    weights = {variant["VariantName"]: variant["InitialVariantWeight"] for variant in variants}
    assert weights == {"current": 0.9, "candidate": 0.1}


@pytest.mark.parametrize(("confirmed", "kept"), [(True, "Delete"), (False, "Retain")])
def test_bucket_example_loses_its_data_only_when_the_context_confirms_it(
    confirmed: bool, kept: str, app: cdk.App, synth: Synth
) -> None:
    app.node.set_context("cdk-ml-lens:removeDataOnDestroy", confirmed)
    buckets = synth(example("secure_bucket").build(app)).of_type("AWS::S3::Bucket").values()
    assert [bucket["DeletionPolicy"] for bucket in buckets] == [kept, kept]
