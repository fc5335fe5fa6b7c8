"""The pytest plugin works in somebody else's project, and costs nothing where it is not used."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

CONFTEST = """
import sys
from pathlib import Path
import pytest
from cdk_ml_lens.local import ModelRuntime

@pytest.fixture(scope="session")
def laptop_cloud_options():
    return {"models": ModelRuntime(python=Path(sys.executable), server=Path("unused"))}
"""
TEST = """
import aws_cdk as cdk
from aws_cdk import aws_sqs as sqs

def test_own_stack(laptop_cloud, deployed):
    stack = cdk.Stack(cdk.App(), "Own")
    queue = sqs.Queue(stack, "Queue", visibility_timeout=cdk.Duration.seconds(77))
    cdk.CfnOutput(stack, "Url", value=queue.queue_url)
    url = deployed(stack).outputs["Url"]
    answer = laptop_cloud.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["All"])
    assert answer["Attributes"]["VisibilityTimeout"] == "77"

def test_that_fails(laptop_cloud):
    assert laptop_cloud is None
"""
MODULES = """
import sys
import cdk_ml_lens.local.pytest_plugin
print([name for name in ("boto3", "aws_cdk", "jsii", "rich") if name in sys.modules])
"""


@pytest.mark.laptop_cloud
def test_another_project_deploys_its_own_stack_and_sees_the_log_of_a_failure(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "test_own.py").write_text(TEST)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)],
        cwd=tmp_path, capture_output=True, text=True, check=False, env=dict(os.environ),
    )  # fmt: skip
    assert "1 failed, 1 passed" in done.stdout, done.stdout
    assert "whole log: " in done.stdout


def test_the_plugin_imports_nothing_heavy() -> None:
    done = subprocess.run([sys.executable, "-c", MODULES], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
