"""The workflow and the compose file that users copy are valid and never print or embed a token."""

from __future__ import annotations

from typing import Any

import yaml

from tests.localstack.conftest import ROOT

CI = ROOT / "docs" / "ci"


def loaded(name: str) -> dict[Any, Any]:
    document: dict[Any, Any] = yaml.safe_load((CI / name).read_text(encoding="utf-8"))
    return document


def test_the_workflow_runs_the_make_target_with_few_rights() -> None:
    workflow = loaded("localstack.yml")
    assert workflow[True].keys() == {"push", "pull_request"}  # YAML 1.1 reads `on` as a boolean
    assert workflow["permissions"] == {"contents": "read"}
    for job in workflow["jobs"].values():
        assert {"runs-on", "timeout-minutes", "steps"} <= job.keys()
        assert all(("uses" in step) != ("run" in step) for step in job["steps"])
        assert "make test-localstack" in [step.get("run") for step in job["steps"]]


def test_the_workflow_starts_the_compose_file_that_is_here() -> None:
    steps = loaded("localstack.yml")["jobs"]["container"]["steps"]
    (up,) = [step["run"] for step in steps if "docker compose" in step.get("run", "")]
    assert (ROOT / up.split("-f ")[1].split(" ")[0]).is_file()


def test_the_compose_file_listens_on_the_loopback_only_and_takes_the_token_from_outside() -> None:
    service = loaded("compose.yaml")["services"]["localstack"]
    assert all(port.startswith("127.0.0.1:") for port in service["ports"])
    assert service["environment"]["LOCALSTACK_AUTH_TOKEN"].startswith("${LOCALSTACK_AUTH_TOKEN:?")
    assert {"image", "healthcheck"} <= service.keys()
