"""The command ml-lens: up, deploy, down; exit codes; one process is ended and no other."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from cdk_ml_lens.local import cli, cloud, running, venvs
from tests.local.conftest import FAKE_SERVER
from tests.local.support import write_assembly

QUEUE = {"Resources": {"Queue": {"Type": "AWS::SQS::Queue"}}, "Outputs": {"Url": {"Value": {"Ref": "Queue"}}}}
Printed = pytest.CaptureFixture[str]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a synthesized app; its clouds serve fake models."""
    write_assembly(tmp_path / "cdk.out", "Queue", QUEUE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(venvs, "ensure", fake_model_environment(venvs.ensure))
    monkeypatch.setattr(cloud, "MODEL_SERVER", FAKE_SERVER)
    monkeypatch.setenv("COLUMNS", "200")
    return tmp_path


def fake_model_environment(real: Any) -> Any:
    """Return ``ensure`` with this interpreter as the model environment; the cloud's is real."""
    return lambda name, **options: Path(sys.executable) if name == "model" else real(name, **options)


@pytest.mark.laptop_cloud
def test_up_deploy_and_down_share_one_cloud(project: Path, capsys: Printed) -> None:
    assert cli.main(["up"]) == 0
    found = running.load(project)
    assert found is not None
    shown = capsys.readouterr().out
    assert f"export AWS_ENDPOINT_URL={found.endpoint_url}" in shown
    assert "export AWS_ACCESS_KEY_ID=test" in shown
    assert cli.main(["up"]) == 0
    assert running.load(project) == found

    assert cli.main(["deploy", "Queue", "--app", "cdk.out"]) == 0
    shown = capsys.readouterr().out
    assert "Queue: CREATE_COMPLETE in" in shown
    assert "/000000000000/Queue-Queue-" in shown
    assert cli.main(["deploy", "Queue", "--app", "cdk.out"]) == 0
    assert "CREATE_COMPLETE (no changes)" in capsys.readouterr().out

    assert cli.main(["down"]) == 0
    assert not found.alive()
    assert cli.main(["down"]) == 1
    assert "no laptop cloud runs here" in capsys.readouterr().err


@pytest.mark.laptop_cloud
def test_deploy_without_a_running_cloud_leaves_none_behind(project: Path, capsys: Printed) -> None:
    assert cli.main(["deploy", "Queue", "--app", "cdk.out"]) == 0
    assert "the cloud has ended" in capsys.readouterr().out
    assert running.load(project) is None


def test_down_ends_no_process_that_took_over_the_id(project: Path) -> None:
    path = running.state_file(project)
    path.parent.mkdir()
    path.write_text(
        json.dumps(
            {
                "pid": os.getpid(),
                "identity": "started at another time",
                "endpoint_url": "http://127.0.0.1:1",
                "mqtt_port": 1,
                "state_dir": str(project),
            }
        )
    )
    assert cli.main(["down"]) == 1  # this process, which has the id now, is still here


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["deploy", "Elsewhere", "--app", "cdk.out"], "stack must be in"),
        (["deploy", "Queue", "-c", "novalue"], "values must look like KEY=VALUE, got novalue"),
        (["deploy", "Queue"], "app must be given or be in"),
        (["model", "build", "--csv", "none.csv"], "--csv must be a file, got none.csv"),
    ],
)
def test_a_failure_is_one_clear_error_and_exit_code_1(
    arguments: list[str], message: str, project: Path, capsys: Printed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cloud.LaptopCloud, "start", FakeStart())
    assert cli.main(arguments) == 1
    assert f"error: {message}" in capsys.readouterr().err


class FakeStart:
    """FakeStart stands for LaptopCloud.start; what it gives can be entered and left, and deploys nothing."""

    def __call__(self, **options: Any) -> cloud.LaptopCloud:
        fake = cloud.LaptopCloud.__new__(cloud.LaptopCloud)
        fake.endpoint_url, fake._server, fake._temporary = "http://127.0.0.1:1", None, False
        return fake


def test_wrong_usage_is_exit_code_2() -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(["frobnicate"])
    assert caught.value.code == 2
