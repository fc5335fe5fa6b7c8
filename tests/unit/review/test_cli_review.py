"""`ml-lens review`: exit codes, files, and what it says of a folder that is no assembly."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cdk_ml_lens.local import cli
from tests.unit.review.assemblies import plain, plugin, violation, written

WARNING = violation("Guard-R1", "Hand/One", severity="warning")
ERROR = violation("Guard-R2", "Hand/One")


def run(folder: Path, *options: str) -> int:
    return cli.main(["review", str(folder), "--out", str(folder / "report"), *options])


def test_app_that_does_not_know_us_is_reviewed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(plain(tmp_path / "cdk.out")) == 1
    out = tmp_path / "cdk.out" / "report"
    assert sorted(path.name for path in out.iterdir()) == ["index.html", "report.csv", "report.sarif"]
    said = capsys.readouterr().out
    assert "MlLens-SM1 Plain/Model (Plain.template.json:" in said
    assert "1 finding acknowledged, each with a reason" in said


@pytest.mark.parametrize(
    ("found", "level", "code"),
    [
        ([], "warning", 0),
        ([WARNING], "error", 0),
        ([WARNING], "warning", 1),
        ([ERROR], "error", 1),
        ([ERROR], "never", 0),
        ([{**ERROR, "reason": "because"}], "warning", 0),
    ],
)
def test_exit_code_follows_the_worst_open_finding(
    found: list[dict[str, object]], level: str, code: int, tmp_path: Path
) -> None:
    folder = written(tmp_path, {}, plugins=[plugin(*found, name="Guard")])
    assert run(folder, "--fail-on", level) == code


def test_with_a_baseline_only_new_findings_fail(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = str(tmp_path / "baseline.json")
    before = written(tmp_path / "app", {}, plugins=[plugin(ERROR, name="Guard")])
    assert run(before, "--write-baseline", file) == 1
    assert run(before, "--baseline", file) == 0
    written(tmp_path / "app", {}, plugins=[plugin(violation("Guard-R2", "Hand/Two"), name="Guard")])
    assert run(before, "--baseline", file) == 1
    assert "since the baseline: 1 new, 0 known, 1 fixed" in capsys.readouterr().out


def test_one_format_alone_can_be_asked_for(tmp_path: Path) -> None:
    assert run(written(tmp_path, {}), "--format", "sarif") == 0
    assert [path.name for path in (tmp_path / "report").iterdir()] == ["report.sarif"]


@pytest.mark.parametrize(("options", "rules"), [((), ["Guard-R2", "Guard-R1"]), (("--open-only",), ["Guard-R2"])])
def test_acknowledged_findings_can_be_left_out_of_sarif(
    options: tuple[str, ...], rules: list[str], tmp_path: Path
) -> None:
    given = {**WARNING, "reason": "because"}
    assert run(written(tmp_path, {}, plugins=[plugin(ERROR, given, name="Guard")]), *options) == 1
    (log,) = json.loads((tmp_path / "report" / "report.sarif").read_text())["runs"]
    assert [result["ruleId"] for result in log["results"]] == rules
    assert "because" in (tmp_path / "report" / "index.html").read_text()


def test_fails_clearly_for_a_folder_that_is_no_assembly(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path) == 1
    said = capsys.readouterr().err
    assert "CDK_OUT must be a cloud assembly" in said
    assert "Traceback" not in said


def test_command_starts_no_jsii_kernel(tmp_path: Path) -> None:
    import subprocess
    import sys

    code = (
        "import sys; from cdk_ml_lens.local import cli; "
        f"code = cli.main(['review', {str(written(tmp_path, {}))!r}, '--out', {str(tmp_path / 'out')!r}]); "
        "sys.exit(code or 'jsii' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
