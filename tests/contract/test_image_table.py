"""Our tables of image registries against the SageMaker Python SDK's, which `make test-sdk` installs beside us."""

from __future__ import annotations

import json
import os
import subprocess
from typing import Any

import pytest

from cdk_ml_lens.core import image_registries
from cdk_ml_lens.core.image_registries import DEEP_LEARNING, FRAMEWORKS, RANDOM_CUT_FOREST
from cdk_ml_lens.hosting.images import InferenceImage
from cdk_ml_lens.monitoring.monitor_images import ANALYZER, ANALYZERS, CLARIFY, EXPLAINER

SDK_PYTHON = os.environ.get("ML_LENS_SDK_PYTHON")
READ = """
import json, sys
from sagemaker.core import image_uris
framework, version = sys.argv[1:]
found = image_uris.config_for_framework(framework)
used = found.get("inference", found.get("processing", found))
print(json.dumps(used["versions"][version]))
"""
TABLES = {
    "sklearn": (image_registries.SKLEARN_VERSION, FRAMEWORKS, InferenceImage.sklearn()),
    "xgboost": (image_registries.XGBOOST_VERSION, FRAMEWORKS, InferenceImage.xgboost()),
    "pytorch": (image_registries.PYTORCH_VERSION, DEEP_LEARNING, InferenceImage.pytorch()),
    "model-monitor": ("", ANALYZERS, ANALYZER),
    "clarify": ("1.0", CLARIFY, EXPLAINER),
    "randomcutforest": ("1", RANDOM_CUT_FOREST, InferenceImage.random_cut_forest()),
}


def sdk(framework: str, version: str) -> dict[str, Any]:
    assert SDK_PYTHON is not None
    environment = {**os.environ, "AWS_DEFAULT_REGION": "us-east-1"}
    command = [SDK_PYTHON, "-c", READ, framework, version]
    shown = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    found: dict[str, Any] = json.loads(shown.stdout.strip().splitlines()[-1])
    return found


@pytest.mark.skipif(SDK_PYTHON is None, reason="make test-sdk installs the SageMaker SDK (730 MB) and runs this")
@pytest.mark.parametrize("framework", TABLES)
def test_registries_and_repository_are_those_of_the_sdk(framework: str) -> None:
    version, accounts, image = TABLES[framework]
    found = sdk(framework, version)
    assert {region: account for region, account in found["registries"].items() if "-iso" not in region} == accounts
    assert found["repository"] == image.repository
    assert image.tag.startswith(version)


@pytest.mark.parametrize("framework", TABLES)
def test_every_account_is_an_account(framework: str) -> None:
    _, accounts, _ = TABLES[framework]
    assert all(account.isdigit() and len(account) == 12 for account in accounts.values())
    assert len(accounts) > 25
