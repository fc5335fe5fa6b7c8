"""judge_candidate: bounds, margins over the champion, missing and NaN metrics, and a decision that is written down."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any

import pytest

from handlers import judge_candidate
from handlers.judge_candidate import EvaluationMismatchError, run
from ml_lens_runtime.errors import ConfigurationError
from ml_lens_runtime.machine_events import EventError
from ml_lens_runtime.model_gate import Gate
from ml_lens_runtime.s3_json import DocumentError
from tests.handlers.shared_clients import one_bucket

GATE = {
    "bounds": [
        {"metric": "alert_rate", "bound": 0.05, "direction": "at_most"},
        {"metric": "recall", "bound": 0.8, "direction": "at_least"},
    ],
    "margins": [
        {"metric": "recall", "margin": 0.02, "direction": "at_least"},
        {"metric": "seconds", "margin": 0.5, "direction": "at_most"},
    ],
    "minimum_rows": 100,
}
GOOD = {"alert_rate": 0.01, "recall": 0.9, "seconds": 1.0}
EVENT = {
    "evaluation": "s3://artifacts/evaluations/run-1/evaluation.json",
    "decision": "s3://artifacts/evaluations/run-1/decision.json",
    "dataset_version": "7",
    "candidate_model": "s3://artifacts/training/run-1/output/model.tar.gz",
}


@pytest.fixture
def s3() -> Iterator[Any]:
    with one_bucket("artifacts") as client:
        yield client


def gate(**changes: Any) -> Gate:
    return Gate.parse({"GATE": json.dumps({**GATE, **changes})})


def evaluation(metrics: dict[str, Any], champion: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    beside = None if champion is None else {"model_package_arn": "arn:champion", "metrics": champion}
    return {"candidate": {"metrics": metrics}, "champion": beside, "rows": 500, "dataset_version": "7", **more}


def judged(s3: Any, document: Any, rules: Gate | None = None) -> dict[str, Any]:
    """Write the evaluation, judge it; the decision in S3 must be the answer without its sentence."""
    body = document if isinstance(document, str) else json.dumps(document)
    s3.put_object(Bucket="artifacts", Key="evaluations/run-1/evaluation.json", Body=body)
    answer = run(EVENT, gate=gate() if rules is None else rules, s3=s3)
    stored = s3.get_object(Bucket="artifacts", Key="evaluations/run-1/decision.json")["Body"].read()
    assert json.loads(stored) == {name: value for name, value in answer.items() if name != "verdict"}
    return answer


def test_a_good_candidate_without_champion_passes_with_its_numbers_and_data_version(s3: Any) -> None:
    found = judged(s3, evaluation(GOOD))
    assert found["passed"] is True
    assert (found["dataset_version"], found["candidate_model"]) == ("7", EVENT["candidate_model"])
    assert [(check["metric"], check["rule"], check["value"]) for check in found["checks"]] == [
        ("rows", "at_least 100", 500),
        ("alert_rate", "at_most 0.05", 0.01),
        ("recall", "at_least 0.8", 0.9),
        ("recall", "at_least champion - 0.02", 0.9),
        ("seconds", "at_most champion + 0.5", 1.0),
    ]
    assert found["verdict"] == "all 5 checks hold"
    assert found["champion"] is None


@pytest.mark.parametrize(
    ("metrics", "sentence"),
    [
        ({**GOOD, "alert_rate": 0.051}, "alert_rate must be at_most 0.05, got 0.051"),
        ({**GOOD, "recall": 0.79}, "recall must be at_least 0.8, got 0.79"),
    ],
)
def test_a_candidate_beyond_a_bound_is_refused(s3: Any, metrics: dict[str, Any], sentence: str) -> None:
    found = judged(s3, evaluation(metrics))
    assert found["passed"] is False
    assert found["verdict"] == sentence


@pytest.mark.parametrize("value", [None, math.nan, math.inf, 10**400, "0.9", True])
def test_a_metric_that_is_no_finite_number_refuses(s3: Any, value: Any) -> None:
    found = judged(s3, evaluation({**GOOD, "recall": value}))
    assert found["passed"] is False
    assert "recall must be at_least 0.8, got no finite number" in found["verdict"]


def test_a_missing_metric_refuses(s3: Any) -> None:
    found = judged(s3, evaluation({"alert_rate": 0.01, "seconds": 1.0}))
    assert [check["passed"] for check in found["checks"]] == [True, True, False, False, True]


@pytest.mark.parametrize("candidate", [None, {}, {"metrics": None}, {"metrics": []}, "good"])
def test_an_evaluation_without_metrics_refuses(s3: Any, candidate: Any) -> None:
    found = judged(s3, {**evaluation({}), "candidate": candidate})
    assert found["passed"] is False


@pytest.mark.parametrize(
    ("champion", "passed"),
    [
        ({**GOOD, "recall": 0.92}, True),  # just within the margin
        ({**GOOD, "recall": 0.93}, False),
        ({**GOOD, "seconds": 0.5}, True),
        ({**GOOD, "seconds": 0.4}, False),
    ],
)
def test_a_candidate_may_be_worse_than_the_champion_by_the_margin_only(
    s3: Any, champion: dict[str, Any], passed: bool
) -> None:
    found = judged(s3, evaluation(GOOD, champion))
    assert found["passed"] is passed
    assert found["champion"] == "arn:champion"
    assert {check["champion"] for check in found["checks"] if check["metric"] == "recall"} == {champion["recall"]}


def test_a_champion_without_the_metric_refuses_instead_of_comparing_nothing(s3: Any) -> None:
    found = judged(s3, evaluation(GOOD, {"recall": None, "seconds": 1.0}))
    assert found["passed"] is False
    assert found["verdict"] == "recall must be at_least champion - 0.02, got 0.9"


def test_a_negative_margin_asks_for_an_improvement(s3: Any) -> None:
    rules = gate(margins=[{"metric": "recall", "margin": -0.01, "direction": "at_least"}])
    assert judged(s3, evaluation(GOOD, GOOD), rules)["passed"] is False
    assert judged(s3, evaluation(GOOD, {**GOOD, "recall": 0.88}), rules)["passed"] is True


@pytest.mark.parametrize("rows", [99, None, "500"])
def test_too_few_rows_refuse(s3: Any, rows: Any) -> None:
    assert judged(s3, {**evaluation(GOOD), "rows": rows})["passed"] is False


def test_an_evaluation_of_other_data_is_an_error(s3: Any) -> None:
    with pytest.raises(EvaluationMismatchError, match="dataset 7, got 6"):
        judged(s3, evaluation(GOOD, dataset_version="6"))


@pytest.mark.parametrize("version", [None, 1.5, ["7"]])
def test_a_run_that_names_no_version_of_its_data_is_an_error(s3: Any, version: Any) -> None:
    s3.put_object(Bucket="artifacts", Key="evaluations/run-1/evaluation.json", Body=json.dumps(evaluation(GOOD)))
    with pytest.raises(EventError, match="dataset_version must be a text or a whole number, got"):
        run({**EVENT, "dataset_version": version}, gate=gate(), s3=s3)


@pytest.mark.parametrize("document", ["", "[1]", "{"])
def test_an_evaluation_that_is_no_object_is_an_error(s3: Any, document: str) -> None:
    with pytest.raises(DocumentError, match="must be"):
        judged(s3, document)


def test_the_same_event_twice_writes_the_same_bytes(s3: Any) -> None:
    bodies = []
    for _ in range(2):
        judged(s3, evaluation(GOOD, GOOD))
        bodies.append(s3.get_object(Bucket="artifacts", Key="evaluations/run-1/decision.json")["Body"].read())
    assert bodies[0] == bodies[1]


def test_the_entry_point_reads_gate_from_the_environment(s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATE", json.dumps(GATE))
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    judge_candidate._process.cache_clear()
    s3.put_object(Bucket="artifacts", Key="evaluations/run-1/evaluation.json", Body=json.dumps(evaluation(GOOD)))
    try:
        assert judge_candidate.handler(EVENT, None)["passed"] is True
    finally:
        judge_candidate._process.cache_clear()


@pytest.mark.parametrize(
    "text",
    [
        None,
        "{}",
        "no json",
        json.dumps({**GATE, "bounds": []}),
        json.dumps({**GATE, "bounds": [{"metric": "", "bound": 1, "direction": "at_most"}]}),
        json.dumps({**GATE, "bounds": [{"metric": "m", "bound": "1", "direction": "at_most"}]}),
        json.dumps({**GATE, "margins": [{"metric": "m", "margin": 1, "direction": "up"}]}),
    ],
)
def test_a_bad_gate_is_a_configuration_error(text: str | None) -> None:
    with pytest.raises(ConfigurationError, match=r"^GATE "):
        Gate.parse({} if text is None else {"GATE": text})
