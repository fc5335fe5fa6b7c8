"""SARIF 2.1.0: what the standard requires, and what code scanning shows of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cdk_ml_lens.review import baseline, sarif
from cdk_ml_lens.review.review import Review
from cdk_ml_lens.review.rules import every_rule
from tests.unit.review.assemblies import plain, plugin, reviewed, violation, written


def run_of(review: Review) -> dict[str, Any]:
    text = sarif.render(review.entries, review.rules, version="1.2.3", folders={"app": "my out"}, trend=review.trend)
    log = json.loads(text)
    assert log["version"] == "2.1.0"
    assert log["$schema"].endswith("sarif-2.1.0.json")
    (run,) = log["runs"]
    return dict(run)


@pytest.fixture(scope="module")
def review(tmp_path_factory: pytest.TempPathFactory) -> Review:
    return reviewed(plain(tmp_path_factory.mktemp("plain") / "cdk.out"))


def test_every_result_has_what_the_standard_requires(review: Review) -> None:
    run = run_of(review)
    rules = run["tool"]["driver"]["rules"]
    assert run["tool"]["driver"]["name"] == "ml-lens"
    assert len(run["results"]) == len(review.entries) > 0
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["message"]["text"]
        assert result["level"] in {"error", "warning"}
        fingerprints = result["partialFingerprints"]
        assert fingerprints["primaryLocationLineHash"] == f"{fingerprints['mlLensFinding/v1']}:1"


def test_rules_are_described_once_each_with_help(review: Review) -> None:
    rules = run_of(review)["tool"]["driver"]["rules"]
    ids = [rule["id"] for rule in rules]
    assert len(ids) == len(set(ids))
    assert [rule.name() for rule in every_rule()] == ids[: len(every_rule())]
    assert all(rule["shortDescription"]["text"] and rule["help"]["text"] for rule in rules)
    assert all(rule["helpUri"].startswith("https://") for rule in rules if rule["id"].startswith("MlLens-"))


def test_locations_are_templates_and_lines_of_resources(review: Review) -> None:
    (folder,) = {assembly.folder for assembly in review.assemblies}
    for result in run_of(review)["results"]:
        (location,) = result["locations"]
        physical = location["physicalLocation"]
        uri = physical["artifactLocation"]["uri"]
        assert uri.startswith("my%20out/")
        text = (folder / uri.removeprefix("my%20out/")).read_text().splitlines()
        assert '": {' in text[physical["region"]["startLine"] - 1]
        assert location["logicalLocations"][0]["fullyQualifiedName"]


def test_acknowledged_results_are_suppressed_with_their_justification(review: Review) -> None:
    suppressed = [result for result in run_of(review)["results"] if result["suppressions"]]
    (only,) = suppressed
    assert only["ruleId"] == "AwsSolutions-SM1"
    (given,) = only["suppressions"]
    assert given == {"kind": "inSource", "status": "accepted", "justification": "The notebook is stopped & empty."}


def test_an_acknowledgement_whose_line_is_known_is_located_there(tmp_path: Path) -> None:
    found = violation("AwsSolutions-S1", "Hand/Model", reason="no logs here", acknowledgedAt="Hand/Model")
    folder = written(tmp_path / "out", plugins=[plugin(found)])
    noted = {"path": "Hand/Model", "rule": "S1", "line": "my stacks/hand.py:12"}
    (folder / "ml-lens.json").write_text(json.dumps({"packs": [], "sources": [noted]}))
    (result,) = [one for one in run_of(reviewed(folder))["results"] if one["suppressions"]]
    physical = result["suppressions"][0]["location"]["physicalLocation"]
    assert physical == {"artifactLocation": {"uri": "my%20stacks/hand.py"}, "region": {"startLine": 12}}


def test_results_say_whether_the_baseline_has_them(tmp_path: Path) -> None:
    one, two = violation("AwsSolutions-S1", "Hand/One"), violation("AwsSolutions-S1", "Hand/Two")
    before = baseline.of(reviewed(written(tmp_path / "before", {}, plugins=[plugin(one)])).entries)
    after = reviewed(written(tmp_path / "after", {}, plugins=[plugin(one, two)]), before=before)
    assert [result["baselineState"] for result in run_of(after)["results"]] == ["unchanged", "new"]


def test_a_rule_that_two_packs_share_by_name_is_two_rules(tmp_path: Path) -> None:
    told = [plugin(violation(f"{pack}-LambdaDLQ", "Hand/F"), name=pack) for pack in ("HIPAA.Security", "Serverless")]
    ids = [result["ruleId"] for result in run_of(reviewed(written(tmp_path, {}, plugins=told)))["results"]]
    assert ids == ["HIPAA.Security-LambdaDLQ", "Serverless-LambdaDLQ"]
