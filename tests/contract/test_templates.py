"""The app as users run it: offline, deterministic, valid by three validators, and refused when it is not secure."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BROKEN_APP = """
import aws_cdk as cdk
from aws_cdk import aws_sqs as sqs
from cdk_nag import AwsSolutionsChecks
from stacks.iot_inference import IotInferenceStack
app = cdk.App()
stack = IotInferenceStack(app, "IotInference")
sqs.Queue(stack, "Careless")
cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app))
app.synth()
"""


def synth(out: Path, code: str | None = None, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run app.py, or other code in its place, as ``cdk synth`` would, without network settings or credentials."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "CDK_"))}
    command = [sys.executable, "app.py"] if code is None else [sys.executable, "-c", code]
    environment = {**kept, "CDK_OUTDIR": str(out), "no_proxy": "", "https_proxy": "http://127.0.0.1:1", **settings}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def validated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One assembly, made with CDK's own template validation on."""
    out = tmp_path_factory.mktemp("validated")
    result = synth(out, CDK_VALIDATION="true")
    assert result.returncode == 0, result.stderr[-3000:]
    return out


def test_cdk_validation_and_nag_find_nothing_unacknowledged(validated: Path) -> None:
    reports = json.loads((validated / "validation-report.json").read_text())["pluginReports"]
    assert "AwsSolutions" in {report["pluginName"] for report in reports}
    assert [violation for report in reports for violation in report["violations"]] == []


def test_acknowledgements_are_granular_and_reasoned(validated: Path) -> None:
    reports = json.loads((validated / "validation-report.json").read_text())["pluginReports"]
    acknowledged = [entry for report in reports for entry in report["suppressedViolations"]]
    assert len(acknowledged) > 5
    for entry in acknowledged:
        assert "IAM5" not in entry["ruleName"] or "[" in entry["ruleName"]
        assert len(json.dumps(entry)) > 100
    assert all("reason" in json.dumps(entry).lower() for entry in acknowledged)


def test_cfn_lint_finds_nothing_but_redundant_dependencies(validated: Path) -> None:
    from cfnlint import lint
    from cfnlint.config import ManualArgs

    for template in validated.glob("*.template.json"):
        found = lint(template.read_text(), config=ManualArgs(regions=["us-east-1", "eu-central-1"]))
        assert [match for match in found if match.rule.id != "W3005"] == []


def test_two_synths_are_identical(validated: Path, tmp_path: Path) -> None:
    assert synth(tmp_path, CDK_VALIDATION="false").returncode == 0
    names = sorted(path.name for path in validated.glob("*.json"))
    for name in names:
        if name not in {"validation-report.json"}:  # the one file that records whether validation ran
            assert (validated / name).read_bytes() == (tmp_path / name).read_bytes(), name
    assert sorted(p.name for p in validated.glob("asset.*")) == sorted(p.name for p in tmp_path.glob("asset.*"))


def test_insecure_stack_does_not_synthesize(tmp_path: Path) -> None:
    result = synth(tmp_path, BROKEN_APP, CDK_VALIDATION="false")
    assert result.returncode != 0
    assert "AwsSolutions-SQS" in result.stdout + result.stderr


def test_asset_is_named_when_a_model_is_given(tmp_path: Path) -> None:
    model = tmp_path / "model.tar.gz"
    model.write_bytes(b"model")
    given = {"model_artifact": str(model), "features": "value,change", "nag": "false", "stacks": "IotInference"}
    context = json.dumps(given)
    out = tmp_path / "out"
    assert synth(out, CDK_CONTEXT_JSON=context, CDK_VALIDATION="false").returncode == 0
    template = json.loads((out / "IotInference.template.json").read_text())
    assert "ModelArtifactKey" not in template["Parameters"]
    assert template["Outputs"]["FeatureNames"]["Value"] == "value,change"
    assert len(list(out.glob("asset.*.gz"))) == 1


def test_missing_model_is_a_prop_error(tmp_path: Path) -> None:
    given = {"model_artifact": "nowhere/model.tar.gz", "stacks": "IotInference"}
    result = synth(tmp_path, CDK_CONTEXT_JSON=json.dumps(given), CDK_VALIDATION="false")
    assert result.returncode != 0
    assert "PropError: path must be a file for model artifact, got 'nowhere/model.tar.gz'" in result.stderr
