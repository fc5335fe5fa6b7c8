"""Ground truth joined late and by id; quality with its uncertainty; groups compared without fishing."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from sklearn import metrics

from model_src.drift.__main__ import main
from model_src.drift.bias import disparities
from model_src.drift.captures import Row
from model_src.drift.columns import column
from model_src.drift.ground_truth import Labelled, merge, read_labels
from model_src.drift.profile import Baseline, BaselineError, profile_of
from model_src.drift.quality import Bound, Measured, broken, measure_quality


def row(key: str, answer: float | bool | None, group: str = "a") -> Row:
    return Row(key=key, moment="2026-11-20T00:00:00Z", cells=[group], prediction=answer)


def pairs(answers: list[float], labels: list[float], groups: list[str] | None = None) -> list[Labelled]:
    places = range(len(answers))
    named = ["a"] * len(answers) if groups is None else groups
    return [
        Labelled(row=row(str(place), answers[place], named[place]), answer=answers[place], label=labels[place])
        for place in places
    ]


def label(path: Path, **labels: object) -> None:
    lines = [
        {"groundTruthData": {"data": value, "encoding": "CSV"}, "eventMetadata": {"eventId": key}}
        for key, value in labels.items()
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(json.dumps(line) for line in lines))


def by_name(found: list[Measured]) -> dict[str, float]:
    return {one.metric: one.value for one in found}


def test_labels_are_joined_by_id_whenever_they_arrive_and_the_last_one_counts(tmp_path: Path) -> None:
    label(tmp_path / "2026/11/20/08/a.jsonl", first="1", second="false")
    label(tmp_path / "2026/11/27/08/a.jsonl", first="0", stranger="1")
    rows = [row("first", True), row("second", 0.0), row("unlabelled", 1.0), row("first#1", 1.0)]
    merged = merge(rows, read_labels(tmp_path))
    assert [(pair.row.key, pair.answer, pair.label) for pair in merged] == [("first", 1, 0), ("second", 0, 0)]


def test_a_line_that_is_no_label_is_refused_with_its_file(tmp_path: Path) -> None:
    label(tmp_path / "a.jsonl", first="perhaps")
    with pytest.raises(BaselineError, match=r"a\.jsonl must hold ground truth records"):
        read_labels(tmp_path)


def test_metrics_of_yes_and_no_are_scikit_learns() -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(2, size=400)
    answers = np.where(rng.random(400) < 0.8, labels, 1 - labels)
    found = by_name(measure_quality(pairs(answers.tolist(), labels.tolist()), confidence=0.95))
    assert found["accuracy"] == pytest.approx(metrics.accuracy_score(labels, answers), abs=1e-9)
    assert found["precision"] == pytest.approx(metrics.precision_score(labels, answers), abs=1e-9)
    assert found["recall"] == pytest.approx(metrics.recall_score(labels, answers), abs=1e-9)
    inverse = metrics.recall_score(1 - labels, 1 - answers)
    assert found["false_positive_rate"] == pytest.approx(1 - inverse, abs=1e-9)


def test_metrics_of_numbers_are_scikit_learns_and_the_same_twice() -> None:
    rng = np.random.default_rng(0)
    labels = rng.normal(size=300)
    given = pairs((labels + rng.normal(0.1, 0.5, size=300)).tolist(), labels.tolist())
    answers = [pair.answer for pair in given]
    found = measure_quality(given, confidence=0.95)
    assert by_name(found)["mae"] == pytest.approx(metrics.mean_absolute_error(labels, answers), abs=1e-9)
    assert by_name(found)["rmse"] == pytest.approx(metrics.root_mean_squared_error(labels, answers), abs=1e-9)
    assert all(one.low < one.value < one.high for one in found)
    assert measure_quality(given, confidence=0.95) == found


def test_a_bound_is_broken_when_chance_does_not_explain_it() -> None:
    bounds = [Bound(metric="recall", bound=0.8, direction="at_least")]
    few = measure_quality(pairs([1, 1, 0, 0], [1, 1, 1, 1]), confidence=0.99)
    many = measure_quality(pairs([1.0, 0.0] * 200, [1.0] * 400), confidence=0.99)
    assert broken(few, bounds) == []
    assert [bound.metric for bound, _ in broken(many, bounds)] == ["recall"]
    loose = [Bound(metric="false_positive_rate", bound=0.1, direction="at_most")]
    assert broken(many, loose) == []  # no negative label, so nothing is known
    assert measure_quality([], confidence=0.99) == []


def test_bounds_that_hold_are_called_broken_no_more_often_than_stated() -> None:
    alarms = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        answers = (rng.random(150) < 0.8).astype(float).tolist()
        found = measure_quality(pairs(answers, [1.0] * 150), confidence=0.98)
        alarms += bool(broken(found, [Bound(metric="recall", bound=0.8, direction="at_least")]))
    assert alarms / 200 <= 0.02


def test_a_group_that_is_served_worse_is_found_and_equal_groups_are_not() -> None:
    rng = np.random.default_rng(1)
    groups = rng.choice(["north", "south", "west"], size=900).tolist()
    labels = rng.integers(2, size=900).astype(float).tolist()
    missed = [0.5 if group == "south" else 0.1 for group in groups]
    unfair = [value * float(rng.random() > miss) for value, miss in zip(labels, missed, strict=True)]
    fair = [value * float(rng.random() > 0.1) for value in labels]
    found = disparities(pairs(unfair, labels, groups), feature="site", names=["site"])
    worst = min(found, key=lambda one: one.p_value)
    assert (worst.group, worst.metric) == ("south", "recall")
    assert worst.difference == pytest.approx(-0.4, abs=0.1)
    assert worst.p_value < 1e-6
    equal = disparities(pairs(fair, labels, groups), feature="site", names=["site"])
    assert min(one.p_value for one in equal) > 0.05


def test_groups_with_few_rows_are_not_compared() -> None:
    groups = ["big"] * 100 + ["small"] * 19
    given = pairs([1.0] * 119, [1.0] * 119, groups)
    assert disparities(given, feature="site", names=["site"]) == []


def captured(path: Path, answers: list[bool], groups: list[str]) -> None:
    lines = []
    for place, (answer, group) in enumerate(zip(answers, groups, strict=True)):
        sides = (
            ("endpointInput", {"features": [group]}),
            ("endpointOutput", {"anomaly": answer}),
        )
        data = {
            name: {"observedContentType": "application/json", "encoding": "JSON", "data": json.dumps(side)}
            for name, side in sides
        }
        metadata = {"eventId": f"event-{place}", "inferenceId": str(place), "inferenceTime": "2026-11-20T08:00:00Z"}
        lines.append(json.dumps({"captureData": data, "eventMetadata": metadata, "eventVersion": "0"}))
    path.parent.mkdir(parents=True)
    path.write_text("\n".join(lines))


def test_the_command_reports_what_is_labelled_and_judges_it(tmp_path: Path) -> None:
    answers = [place % 4 != 0 for place in range(400)]
    captured(tmp_path / "captures" / "a.jsonl", answers, ["north" if place % 4 else "south" for place in range(400)])
    label(tmp_path / "labels" / "a.jsonl", **{str(place): "1" for place in range(300)})
    site = profile_of(column(["north", "south"] * 50, "category"))
    Baseline(version="1", made_from="1", features={"site": site}).write(tmp_path / "baseline" / "baseline.json")
    folders = [word for name in ("captures", "labels", "baseline") for word in (f"--{name}", str(tmp_path / name))]
    span = ["--monitor", "press", "--start", "2026-11-20T00:00:00Z", "--end", "2026-11-21T00:00:00Z"]
    rules = ["--bound", "recall:at_least:0.9", "--bound", "accuracy:at_least:0.5", "--group", "site"]
    given = [*folders, *span, *rules, "--answer-field", "anomaly", "--output", str(tmp_path)]
    assert main(["quality", *given]) == 0
    found = json.loads((tmp_path / "report.json").read_text())
    assert (found["rows"], found["labelled"], found["violated"]) == (400, 300, True)
    assert [violation["metric"] for violation in found["violations"]] == ["recall"]
    assert {"group": "south", "metric": "recall"} in found["unequal"]
    data = json.loads((tmp_path / "metrics.json").read_text())["MetricData"]
    assert {datum["MetricName"]: datum["Value"] for datum in data}["Recall"] == pytest.approx(0.75)
    assert main(["quality", *given, "--minimum-rows", "301"]) == 0
    assert json.loads((tmp_path / "report.json").read_text())["judged"] is False
