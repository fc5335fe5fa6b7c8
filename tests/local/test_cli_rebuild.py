"""ml-lens rebuild without a cloud: which machine is meant, what is printed, and when it refuses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from cdk_ml_lens.local import cli, cli_rebuild

URL = ["--endpoint-url", "http://127.0.0.1:1"]


class FakeMachines:
    """Stands for Step Functions: tagged machines whose executions end at the second look; it runs nothing."""

    def __init__(self, tags: dict[str, str], ended: dict[str, Any]) -> None:
        self.tags, self.ended, self.started, self.looks = tags, ended, [], 0

    def get_paginator(self, name: str) -> FakeMachines:
        assert name == "list_state_machines"
        return self

    def paginate(self) -> list[dict[str, Any]]:
        return [{"stateMachines": [{"stateMachineArn": arn}]} for arn in ["plain", *self.tags]]

    def list_tags_for_resource(self, *, resourceArn: str) -> dict[str, Any]:  # noqa: N803
        found = self.tags.get(resourceArn)
        return {"tags": [] if found is None else [{"key": cli_rebuild.TAG, "value": found}]}

    def start_execution(self, **given: Any) -> dict[str, Any]:
        self.started.append(given)
        return {"executionArn": "execution"}

    def describe_execution(self, *, executionArn: str) -> dict[str, Any]:  # noqa: N803
        self.looks += 1
        running = {"status": "RUNNING", "executionArn": executionArn}
        return running if self.looks < 2 else {**running, **self.ended}


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run where no cloud runs, and without pauses."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(cli_rebuild, "POLL_SECONDS", 0)


def use(monkeypatch: pytest.MonkeyPatch, tags: dict[str, str], **ended: Any) -> FakeMachines:
    machines = FakeMachines(tags, {"status": "SUCCEEDED", "output": "{}", **ended})
    monkeypatch.setattr(cli_rebuild.boto3, "client", lambda *_, **__: machines)
    return machines


def test_the_machine_of_the_endpoint_is_started_with_the_version(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    output = json.dumps({"endpoint": "presses", "model_version": "v1", "manifest": "s3://b/manifests/v1-e.json"})
    machines = use(monkeypatch, {"one": "turbines", "two": "presses"}, output=output)
    assert cli.main(["rebuild", "v1", "--endpoint", "presses", *URL]) == 0
    assert machines.started == [{"stateMachineArn": "two", "input": '{"version": "v1"}'}]
    assert "endpoint presses serves v1, rebuilt from" in capsys.readouterr().out


def test_a_manifest_is_named_by_its_uri(monkeypatch: pytest.MonkeyPatch) -> None:
    machines = use(monkeypatch, {"one": "turbines"})
    cli.main(["rebuild", "s3://b/manifests/v1-e.json", *URL])
    assert machines.started[0]["input"] == '{"manifest": "s3://b/manifests/v1-e.json"}'


def test_a_failure_is_printed_with_its_error_and_ends_with_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    use(monkeypatch, {"one": "turbines"}, status="FAILED", error="ArtifactChangedError", cause="other bytes")
    assert cli.main(["rebuild", "v1", *URL]) == 1
    assert "FAILED ArtifactChangedError: other bytes" in capsys.readouterr().err
    use(monkeypatch, {"one": "turbines"}, status="FAILED", error="ArtifactChangedError", cause="other bytes")
    assert cli.main(["rebuild", "v1", "--json", *URL]) == 1
    assert json.loads(capsys.readouterr().out)["error"] == "ArtifactChangedError"


@pytest.mark.parametrize("tags", [{}, {"one": "turbines", "two": "presses"}])
def test_no_machine_or_several_are_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tags: dict[str, str]
) -> None:
    machines = use(monkeypatch, tags)
    assert cli.main(["rebuild", "v1", *URL]) == 1
    assert f"{len(tags)} state machines of any endpoint" in " ".join(capsys.readouterr().err.split())
    assert machines.started == []


@pytest.mark.parametrize("where", [[], ["--endpoint-url", "https://states.eu-west-1.amazonaws.com"]])
def test_an_endpoint_on_aws_is_changed_only_on_demand(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], where: list[str]
) -> None:
    machines = use(monkeypatch, {"one": "turbines"})
    assert cli.main(["rebuild", "v1", *where]) == 1
    assert "--yes must be given" in capsys.readouterr().err
    assert machines.started == []
    assert cli.main(["rebuild", "v1", "--yes", *where]) == 0


def test_what_aws_refuses_is_told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    machines = use(monkeypatch, {"one": "turbines"})

    def refuse(**_: Any) -> dict[str, Any]:
        raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "StartExecution")

    monkeypatch.setattr(machines, "start_execution", refuse)
    assert cli.main(["rebuild", "v1", *URL]) == 1
    assert "AccessDeniedException" in capsys.readouterr().err
