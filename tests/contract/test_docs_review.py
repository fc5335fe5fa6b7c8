"""The reviewer's guide: its options, sections, workflow and ids are those of the command, the page and the rules."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
import yaml

from cdk_ml_lens.local import cli_review
from cdk_ml_lens.review import baseline, page
from cdk_ml_lens.review.review import Review, review
from cdk_ml_lens.review.rules import every_rule
from examples import review as example
from tests.contract.pages import ROOT, section
from tools import report

GUIDE = (ROOT / "docs" / "review.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def of_example(tmp_path_factory: pytest.TempPathFactory) -> Review:
    found = report.synthesize(example.build, tmp_path_factory.mktemp("example"), name="examples/review.py")
    return review([found], title="Example")


def options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser()
    cli_review.add_arguments(parser)
    return parser


def test_options_are_those_of_the_command() -> None:
    listed = re.findall(r"^\| `(--[a-z-]+)` \|", section("review", "Options"), re.MULTILINE)
    known = [name for action in options()._actions for name in action.option_strings if name.startswith("--")]
    assert sorted(listed) == sorted(set(known) - {"--help"})


def test_commands_can_be_called() -> None:
    lines = re.findall(r"ml-lens review ([^`\n]+)", GUIDE)
    assert len(lines) >= 3
    for line in lines:
        assert options().parse_args(line.split()).cdk_out == Path("cdk.out")


def test_workflow_is_one_that_may_upload() -> None:
    (text,) = re.findall(r"<!-- workflow -->\n```yaml\n(.*?)```", GUIDE, re.DOTALL)
    workflow: dict[Any, Any] = yaml.safe_load(text)
    assert workflow["permissions"]["security-events"] == "write"
    steps = workflow["jobs"]["review"]["steps"]
    (upload,) = [step for step in steps if "upload-sarif" in step.get("uses", "")]
    assert upload["with"]["sarif_file"] == f"{options().get_default('out')}/report.sarif"
    assert upload["if"] == "always()"


def test_sections_are_those_of_the_page_in_its_order(of_example: Review) -> None:
    listed = re.findall(
        r"^\| ([^|`]+) \| [^|]+\? ?|^\| ([^|`]+) \|", section("review", "How to read the report"), re.MULTILINE
    )
    titles = [(one or other).strip() for one, other in listed]
    shown = re.findall(r'<h2><span class="number">\d</span>(.+?)</h2>', page.render(of_example))
    assert [title for title in titles if title not in ("Section", "---")] == shown


def test_rules_that_the_page_names_exist() -> None:
    named = set(re.findall(r"MlLens-([A-Z]+\d+)", GUIDE)) | set(re.findall(r'severities=\{"(\w+)"', GUIDE))
    assert named <= {rule.id for rule in every_rule()}


def test_example_has_one_acknowledged_finding_of_ours_and_none_open(of_example: Review) -> None:
    assert of_example.open == ()
    (given,) = [entry for entry in of_example.acknowledged if entry.pack == "MlLens"]
    assert given.rule == "MlLens-LK9"
    assert given.acknowledgement is not None
    assert given.acknowledgement.reason in GUIDE


def test_rule_of_the_example_finds_a_topic_without_a_name(tmp_path: Path) -> None:
    app = cdk.App(outdir=str(tmp_path))
    cdk.CfnResource(cdk.Stack(app, "Other"), "Topic", type="AWS::SNS::Topic")
    example.strict(app)
    app.synth()
    text = (tmp_path / "validation-report.json").read_text()
    assert "MlLens-ACME1" in text
    assert "DisplayName is not set" in text


def test_report_of_the_repository_takes_every_stack_and_example() -> None:
    names = {f"examples/{path.name}" for path in (ROOT / "examples").glob("*.py") if not path.stem.startswith("test_")}
    assert set(report.apps()) == {"app.py", *names}


def test_committed_baseline_has_nothing_open_and_reasons_of_every_pack() -> None:
    before = baseline.read(report.BASELINE)
    assert before.open == {}
    assert set(before.acknowledged) <= set(report.PACKS)
    assert 0 < len(before.reasons) <= sum(before.acknowledged.values())
    assert report.BASELINE.stat().st_size < 20_000


def test_two_syntheses_give_the_same_page(of_example: Review, tmp_path: Path) -> None:
    again = review([report.synthesize(example.build, tmp_path, name="examples/review.py")], title="Example")
    assert page.render(again) == page.render(of_example)


def test_picture_is_small() -> None:
    picture = ROOT / "docs" / "images" / "review.png"
    assert picture.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    assert picture.stat().st_size <= 300_000
