"""Our table of image registries against the SageMaker Python SDK's, which `make test-sdk` installs beside us."""

from __future__ import annotations

import json
import os
import subprocess

import pytest

from cdk_ml_lens.hosting.images import SKLEARN_ACCOUNTS, SKLEARN_REPOSITORY, SKLEARN_VERSION

SDK_PYTHON = os.environ.get("ML_LENS_SDK_PYTHON")
READ = """
import json
from sagemaker.core import image_uris
print(json.dumps(image_uris.config_for_framework("sklearn")["inference"]["versions"][%r]))
"""


@pytest.mark.skipif(SDK_PYTHON is None, reason="make test-sdk installs the SageMaker SDK (730 MB) and runs this")
def test_scikit_learn_registries_are_those_of_the_sdk() -> None:
    assert SDK_PYTHON is not None
    code = READ % SKLEARN_VERSION
    environment = {**os.environ, "AWS_DEFAULT_REGION": "us-east-1"}
    shown = subprocess.run([SDK_PYTHON, "-c", code], capture_output=True, text=True, check=True, env=environment)
    sdk = json.loads(shown.stdout.strip().splitlines()[-1])
    commercial = {region: account for region, account in sdk["registries"].items() if "-iso" not in region}
    assert commercial == SKLEARN_ACCOUNTS
    assert sdk["repository"] == SKLEARN_REPOSITORY
