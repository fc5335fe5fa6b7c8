"""The CDK CLI itself bootstraps, deploys, compares and destroys on LocalStack, and is never run on another account."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from cdk_ml_lens.core.errors import PropError
from cdk_ml_lens.local import guard
from tests.localstack.conftest import ROOT
from tests.localstack.engine import Emulator

STACK = "ModelHosting"
FOUND = re.search(r"^CDK_VERSION := (\S+)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)


class Cli:
    """The pinned CDK CLI on an emulator; it asks the emulator for its account before the first command."""

    def __init__(self, emulator: Emulator, assembly: Path, home: Path) -> None:
        guard.require_loopback(emulator.endpoint_url)
        guard.require_account(emulator.client("sts").get_caller_identity()["Account"])
        assert FOUND is not None
        node = Path(os.environ["JSII_NODE"]).parent
        self._command = ["npx", "--yes", f"aws-cdk@{FOUND[1]}", "--app", str(assembly), "--no-notices"]
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "PYTHON"))}
        self._environment = kept | {
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), str(node), os.environ["PATH"]]),
            "AWS_ENDPOINT_URL": emulator.endpoint_url,
            "AWS_ENDPOINT_URL_S3": emulator.endpoint_url,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": emulator.region,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            "CDK_HOME": str(home),
            "CI": "1",
        }

    def __call__(self, *arguments: str) -> str:
        """Run a command and return what it printed."""
        done = subprocess.run(
            [*self._command, *arguments],
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr


def test_the_cli_bootstraps_deploys_compares_and_destroys(emulator: Emulator, today: Path, tmp_path: Path) -> None:
    cdk, names = Cli(emulator, today, tmp_path), ("ModelArtifactBucket=models", "ModelArtifactKey=any.tar.gz")
    given = [part for name in names for part in ("--parameters", name)]
    cdk("bootstrap", f"aws://{emulator.account}/{emulator.region}")
    cdk("deploy", STACK, "--require-approval", "never", *given)
    (stack,) = emulator.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"]
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    assert "There were no differences" in cdk("diff", STACK)
    cdk("destroy", STACK, "--force")
    with pytest.raises(emulator.client("cloudformation").exceptions.ClientError, match="does not exist"):
        emulator.client("cloudformation").describe_stacks(StackName=STACK)


def test_the_cli_is_refused_off_the_loopback(today: Path, tmp_path: Path) -> None:
    aws = Emulator(endpoint_url="https://cloudformation.us-east-1.amazonaws.com", runs_functions=True)
    with pytest.raises(PropError, match="loopback"):
        Cli(aws, today, tmp_path)


def test_another_account_is_refused() -> None:
    with pytest.raises(PropError, match="a real account is never touched"):
        guard.require_account("123456789012")
