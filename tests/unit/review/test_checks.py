"""MlLensChecks: what fails a synthesis, what an acknowledgement changes, and where findings are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import aws_cdk as cdk
import pytest

from cdk_ml_lens.core.errors import PropError
from cdk_ml_lens.core.nag import acknowledge
from cdk_ml_lens.review.checks import MlLensChecks
from cdk_ml_lens.review.rule import Finding, Rule, Severity
from cdk_ml_lens.review.template import Template
from tests.unit.review.reports import names, report_of


def open_model(scope: Any, id: str = "Model") -> cdk.CfnResource:
    return cdk.CfnResource(scope, id, type="AWS::SageMaker::Model", properties={"ExecutionRoleArn": "arn"})


def per_tag(template: Template) -> Iterator[Finding]:
    for topic in template.of_type("AWS::SNS::Topic"):
        for tag in topic.each("Tags"):
            yield Finding(logical_id=topic.logical_id, message=f"tag {tag['Key']}", detail=f"Tag::{tag['Key']}")


OWN = Rule(
    id="OWN1",
    title="Topics have no tags",
    practices=("MLCOST04-BP12",),
    severity=Severity.ERROR,
    explanation="An example of a rule of one's own.",
    fix="Remove the tags.",
    source="https://docs.aws.amazon.com/sns/latest/dg/sns-tags.html",
    check=per_tag,
)


def test_an_error_fails_the_synthesis_with_its_construct_path(app: cdk.App) -> None:
    open_model(cdk.Stack(app, "One"))
    cdk.Validations.of(app).add_plugins(MlLensChecks())
    with pytest.raises(RuntimeError, match="MlLens-SM1"):
        app.synth()


def test_findings_carry_practice_fix_and_place(app: cdk.App) -> None:
    open_model(cdk.Stack(app, "One"))
    (found,) = [one for one in report_of(app)["violations"] if one["ruleName"] == "MlLens-SM1"]
    assert found["ruleMetadata"]["practices"] == "MLSEC03-BP02"
    assert found["severity"] == "error"
    assert "EnableNetworkIsolation" in found["suggestedFix"]
    assert names([found]) == ["MlLens-SM1 One/Model"]
    assert found["violatingConstructs"][0]["cloudFormationResource"]["logicalId"] == "Model"


def test_an_acknowledged_error_is_kept_with_its_reason_and_fails_nothing(app: cdk.App) -> None:
    acknowledge(open_model(cdk.Stack(app, "One")), "SM1", "a demo", pack="MlLens")
    cdk.Validations.of(app).add_plugins(MlLensChecks())
    app.synth()


def test_the_report_tells_acknowledged_findings_apart(app: cdk.App) -> None:
    stack = cdk.Stack(app, "One")
    acknowledge(open_model(stack, "Known"), "SM1", "a demo", pack="MlLens")
    open_model(stack, "Unknown")
    report = report_of(app)
    assert report["conclusion"] == "failure"
    assert "MlLens-SM1 One/Unknown" in names(report["violations"])
    (kept,) = [one for one in report["suppressedViolations"] if one["ruleName"] == "MlLens-SM1"]
    assert (names([kept]), kept["reason"]) == (["MlLens-SM1 One/Known"], "a demo")


def test_warnings_are_reported_and_fail_nothing(app: cdk.App) -> None:
    open_model(cdk.Stack(app, "One"))
    report = report_of(app, MlLensChecks(severities={"SM1": Severity.WARNING}))
    assert report["conclusion"] == "success"
    assert "MlLens-SM1 One/Model" in names(report["violations"])


def test_a_warning_left_over_fails_nothing_when_an_error_is_acknowledged(app: cdk.App) -> None:
    stack = cdk.Stack(app, "One")
    open_model(stack)
    topic = cdk.CfnResource(stack, "Topic", type="AWS::SNS::Topic", properties={"Tags": [{"Key": "a", "Value": "b"}]})
    acknowledge(topic, "OWN1[Tag::a]", "known", pack="MlLens")
    report = report_of(app, MlLensChecks(severities={"SM1": Severity.WARNING}, extra=(OWN,)))
    assert report["conclusion"] == "success"


def test_a_finding_with_detail_is_acknowledged_by_that_detail_only(app: cdk.App) -> None:
    tags = [{"Key": key, "Value": "x"} for key in ("a", "b")]
    topic = cdk.CfnResource(cdk.Stack(app, "One"), "Topic", type="AWS::SNS::Topic", properties={"Tags": tags})
    acknowledge(topic, "OWN1[Tag::a]", "known", pack="MlLens")
    acknowledge(topic, "OWN1", "covers no detail", pack="MlLens")
    report = report_of(app, MlLensChecks(extra=(OWN,)))
    assert names(report["violations"]) == ["MlLens-OWN1[Tag::b] One/Topic"]


def test_a_rule_that_is_off_finds_nothing(app: cdk.App) -> None:
    open_model(cdk.Stack(app, "One"))
    assert not any("SM1 " in name for name in names(report_of(app, MlLensChecks(off=("SM1",)))["violations"]))


def test_nested_stacks_and_stages_are_checked(app: cdk.App) -> None:
    stage = cdk.Stage(app, "Prod")
    stack = cdk.Stack(stage, "One")
    open_model(cdk.NestedStack(stack, "Inner"))
    assert "MlLens-SM1 Prod/One/Inner/Model" in names(report_of(app)["violations"])


def test_a_stack_without_assets_manifest_is_checked(app: cdk.App) -> None:
    stack = cdk.Stack(app, "One", synthesizer=cdk.LegacyStackSynthesizer())
    open_model(stack)
    assert "MlLens-SM1 One/Model" in names(report_of(app)["violations"])


def test_an_unknown_id_is_refused() -> None:
    with pytest.raises(PropError, match=r"off must name rules of the pack.*'SM999'"):
        MlLensChecks(off=("SM999",))
    with pytest.raises(PropError, match="severities must name rules"):
        MlLensChecks(severities={"MlLens-SM1": Severity.WARNING})


def test_the_rules_that_run_are_named_as_they_are_acknowledged() -> None:
    named = MlLensChecks(off=("SM1",), extra=(OWN,)).rule_ids
    assert named is not None
    assert f"MlLens-{OWN.id}" in named
    assert "MlLens-SM1" not in named
    assert OWN.qualified("Action::s3:*") == f"MlLens::MlLens-{OWN.id}[Action::s3:*]"


def test_an_extra_rule_cannot_take_an_id_of_ours() -> None:
    with pytest.raises(PropError, match="extra must have ids"):
        MlLensChecks(extra=(OWN, OWN))
