"""HandlerFunction: encrypted, traced, logged, least privilege, and a failing stack shows that nag is active."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam

from cdk_ml_lens.core.assets import bundled
from cdk_ml_lens.core.function import HandlerFunction
from cdk_ml_lens.core.keys import data_key
from tests.unit.templates import Template


def make(stack: cdk.Stack, **props: object) -> HandlerFunction:
    key = data_key(stack, "Key", description="test")
    return HandlerFunction(
        stack,
        "Handler",
        handler="score_readings",
        environment={"A": "b"},
        encryption_key=key,
        **props,  # type: ignore[arg-type]
    )


def test_minimal_is_arm64_traced_and_logs_json(stack: cdk.Stack, synth: Callable[[cdk.Stack], Template]) -> None:
    make(stack)
    template = synth(stack)
    function = template.only("AWS::Lambda::Function")
    assert function["Architectures"] == ["arm64"]
    assert function["TracingConfig"] == {"Mode": "Active"}
    assert function["LoggingConfig"]["LogFormat"] == "JSON"
    assert function["Handler"] == "handlers.score_readings.handler"
    assert "KmsKeyArn" in function
    assert "ReservedConcurrentExecutions" not in function
    assert template.only("AWS::Logs::LogGroup")["RetentionInDays"] == 90


def test_full_sets_time_memory_and_concurrency(stack: cdk.Stack, synth: Callable[[cdk.Stack], Template]) -> None:
    make(stack, timeout_seconds=7, memory_mb=1024, reserved_concurrency=3)
    function = synth(stack).only("AWS::Lambda::Function")
    assert (function["Timeout"], function["MemorySize"], function["ReservedConcurrentExecutions"]) == (7, 1024, 3)


def test_role_has_no_managed_policy_and_exists_first(stack: cdk.Stack, synth: Callable[[cdk.Stack], Template]) -> None:
    make(stack)
    template = synth(stack)
    assert "ManagedPolicyArns" not in template.only("AWS::IAM::Role")
    ((function_id, _),) = template.of_type("AWS::Lambda::Function").items()
    assert set(template.of_type("AWS::IAM::Policy")) <= template.depends_on(function_id)


def test_nag_is_clean(stack: cdk.Stack, nag: Callable[[cdk.Stack], list[str]]) -> None:
    make(stack)
    assert nag(stack) == []


def test_nag_is_active(stack: cdk.Stack, nag: Callable[[cdk.Stack], list[str]]) -> None:
    handler = make(stack)
    handler.role.add_to_policy(iam.PolicyStatement(actions=["s3:*"], resources=["*"]))
    assert any("AwsSolutions-IAM5[Action::s3:*]" in finding for finding in nag(stack))


def test_asset_has_the_handler_and_no_caches(stack: cdk.Stack, app: cdk.App) -> None:
    make(stack)
    out = Path(app.synth().directory)
    (asset,) = [path for path in out.glob("asset.*") if path.is_dir()]
    assert (asset / "handlers" / "score_readings.py").is_file()
    assert (asset / "ml_lens_runtime").is_dir()
    assert not list(asset.rglob("__pycache__"))


def test_fails_when_a_source_tree_is_missing() -> None:
    with pytest.raises(FileNotFoundError, match="reinstall cdk-ml-lens"):
        bundled("no_such_tree")
