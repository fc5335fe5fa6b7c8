"""Findings of an assembly: those of our rules, those of plugins, and what was acknowledged, however it was named."""

from __future__ import annotations

from pathlib import Path

import aws_cdk as cdk
import pytest
from aws_cdk import aws_sagemaker as sagemaker

from cdk_ml_lens.core.nag import acknowledge
from cdk_ml_lens.review import sidecar, validation
from cdk_ml_lens.review.packs import add_packs
from cdk_ml_lens.review.review import Review, packs_of
from cdk_ml_lens.review.rule import Severity
from tests.unit.review.assemblies import MODEL, plain, plugin, reviewed, violation, written


@pytest.fixture(scope="module")
def of_plain(tmp_path_factory: pytest.TempPathFactory) -> Review:
    return reviewed(plain(tmp_path_factory.mktemp("plain") / "cdk.out"))


def test_faults_of_an_app_that_does_not_know_us_are_found_in_each_stack(of_plain: Review) -> None:
    found = {(entry.rule, entry.place.path) for entry in of_plain.open if entry.pack == "MlLens"}
    for stack in ("Plain", "Production/Plain"):
        assert ("MlLens-SM1", f"{stack}/Model") in found
        assert ("MlLens-IAM2", f"{stack}/Role") in found
        assert ("MlLens-NB3", f"{stack}/Notebook") in found


def test_findings_of_cdk_nag_are_taken_in_with_the_line_of_their_resource(of_plain: Review) -> None:
    by_path = {(entry.rule, entry.place.path): entry for entry in of_plain.open}
    nested = by_path["AwsSolutions-S10", "Production/Plain/Data/Raw"]
    assert nested.place.type == "AWS::S3::Bucket"
    assert nested.place.file.startswith("assembly-Production/")
    assert nested.place.line > 1
    assert by_path["AwsSolutions-IAM5", "Plain/Role"].detail is not None


def test_an_acknowledgement_keeps_its_reason_and_counts_for_its_place_only(of_plain: Review) -> None:
    (given,) = [entry for entry in of_plain.acknowledged if entry.rule == "AwsSolutions-SM1"]
    assert given.acknowledgement is not None
    assert given.acknowledgement.reason == "The notebook is stopped & empty."
    assert given.place.path == "Plain/Notebook"
    assert [one.place.path for one in of_plain.open if one.rule == "AwsSolutions-SM1"] == ["Production/Plain/Notebook"]


@pytest.mark.parametrize("given", ["AwsSolutions::AwsSolutions-S1", "AwsSolutions-S1", None])
def test_acknowledged_with_or_without_a_qualified_id(given: str | None, tmp_path: Path) -> None:
    more = {"reason": "no logs here", "acknowledgedAt": "Hand/Model"} | (
        {} if given is None else {"acknowledgedId": given}
    )
    made = reviewed(written(tmp_path, plugins=[plugin(violation("AwsSolutions-S1", "Hand/Model", **more))]))
    (entry,) = [entry for entry in made.entries if entry.pack == "AwsSolutions"]
    assert entry.acknowledgement is not None
    assert entry.acknowledgement.reason == "no logs here"
    assert validation.base(entry.acknowledgement.rule) == "S1"


def test_our_finding_is_open_until_the_app_acknowledges_it(tmp_path: Path) -> None:
    before = reviewed(written(tmp_path))
    assert "MlLens-SM1" in {entry.rule for entry in before.open}
    more = {"reason": "a public demo", "acknowledgedId": "MlLens::MlLens-SM1", "severity": "warning"}
    told = plugin(violation("MlLens-SM1", "Model", **more), name="MlLens")
    after = reviewed(written(tmp_path, plugins=[told]))
    (entry,) = [entry for entry in after.entries if entry.rule == "MlLens-SM1"]
    assert entry.acknowledgement is not None
    assert entry.severity is Severity.WARNING


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ({"id": "MlLens-SM1", "reason": "a public demo"}, "a public demo"),
        ({"id": "MlLens::MlLens-SM1", "reason": "a public demo"}, "a public demo"),
        ({"id": "MlLens-SM1", "reason": "w7ZmZmVudGxpY2g=", "is_reason_encoded": True}, "öffentlich"),
        ({"id": "MlLens-SM1", "reason": "no base64", "is_reason_encoded": True}, "no base64"),
        ({"id": "MlLens-SM1", "reason": "of another detail", "applies_to": ["Tag::x"]}, None),
        ({"id": "MlLens-SM1", "reason": " "}, None),
        ({"id": "MlLens-SM12", "reason": "of another rule"}, None),
    ],
)
def test_a_template_can_carry_the_acknowledgement(entry: dict[str, object], reason: str | None, tmp_path: Path) -> None:
    model = {**MODEL, "Metadata": {"cdk_nag": {"rules_to_suppress": [entry]}}}
    made = reviewed(written(tmp_path, {"Model": model}))
    (found,) = [one for one in made.entries if one.rule == "MlLens-SM1"]
    assert (None if found.acknowledgement is None else found.acknowledgement.reason) == reason


def test_rules_that_only_the_app_has_are_reported(tmp_path: Path) -> None:
    told = plugin(violation("MlLens-OWN1[Tag::x]", "Hand/Model"), name="MlLens")
    (entry,) = [one for one in reviewed(written(tmp_path, plugins=[told])).open if one.rule == "MlLens-OWN1"]
    assert entry.detail == "Tag::x"


def test_severities_of_other_plugins_are_ours_or_the_nearest(tmp_path: Path) -> None:
    named = ("fatal", "high", "error", "warning", "low", "info")
    told = plugin(*(violation(f"R{name}", "Hand/Model", severity=name) for name in named), name="Guard")
    found = {
        one.rule: one.severity.value for one in reviewed(written(tmp_path, plugins=[told])).open if one.pack == "Guard"
    }
    assert list(found.values()) == ["error", "error", "error", "warning", "warning", "warning"]


@pytest.mark.parametrize("report", [None, [], {}, {"pluginReports": None}, {"pluginReports": [{"violations": 3}]}])
def test_whatever_is_no_report_has_no_findings(report: object) -> None:
    assert list(validation.verdicts(report)) == []


def test_a_plugin_may_name_a_resource_by_template_and_id(tmp_path: Path) -> None:
    place = {"cloudFormationResource": {"templatePath": "Hand.template.json", "logicalId": "Model"}}
    made = reviewed(written(tmp_path, plugins=[plugin({**violation("X-1"), "violatingConstructs": [place]})]))
    (entry,) = [entry for entry in made.entries if entry.rule == "X-1"]
    assert (entry.place.logical_id, entry.place.type) == ("Model", "AWS::SageMaker::Model")


def test_source_line_and_packs_are_noted_at_synthesis(app: cdk.App, stack: cdk.Stack, tmp_path: Path) -> None:
    model = sagemaker.CfnModel(stack, "Model", execution_role_arn="arn:aws:iam::123456789012:role/x")
    acknowledge(model, "SM1", "a public demo", pack="MlLens")
    add_packs(app, "MlLens", "Serverless")
    app.synth()
    out = tmp_path / "cdk.out"
    sidecar.write(app, out, packs=("MlLens", "Serverless"))
    made = reviewed(out)
    (entry,) = [entry for entry in made.acknowledged if entry.rule == "MlLens-SM1"]
    assert entry.acknowledgement is not None
    assert entry.acknowledgement.line is not None
    assert entry.acknowledgement.line.rpartition(":")[0].endswith("test_gather.py")
    assert packs_of(made.assemblies[0]) == ("MlLens", "Serverless")
