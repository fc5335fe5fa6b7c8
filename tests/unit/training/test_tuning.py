"""Tuning: strategies as CreateHyperParameterTuningJob takes them, what is refused, the best job, permissions."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import aws_cdk as cdk
import pytest

from cdk_ml_lens import Algorithm, ParameterRange, PropError, TrainingOptions, Tuning, WarmStart
from tests.unit.templates import Template
from tests.unit.training.pipeline_support import definition, followers, pipeline

Synth = Callable[[cdk.Stack], Template]
TREES = ParameterRange.integer("trees", 50, 400, scaling="Logarithmic")
RATE = {"metric": "worst_fold_alert_rate", "goal": "Minimize"}


def searched(stack: cdk.Stack, synth: Synth, tuning: Tuning, **props: Any) -> dict[str, Any]:
    pipeline(stack, options=TrainingOptions(tuning=tuning), **props)
    found: dict[str, Any] = definition(synth(stack))["States"]
    return found


def test_bayesian_search_stops_early_and_leaves_searched_values_out_of_the_fixed_ones(
    stack: cdk.Stack, synth: Synth
) -> None:
    tuning = Tuning.bayesian(metric="worst_fold_alert_rate", goal="Minimize", ranges=[TREES])
    request = searched(stack, synth, tuning)["Train"]["Arguments"]
    config = request["HyperParameterTuningJobConfig"]
    assert (config["Strategy"], config["TrainingJobEarlyStoppingType"]) == ("Bayesian", "Auto")
    assert config["ResourceLimits"] == {
        "MaxNumberOfTrainingJobs": 20,
        "MaxParallelTrainingJobs": 2,
        "MaxRuntimeInSeconds": 86400,
    }
    assert config["ParameterRanges"]["IntegerParameterRanges"] == [
        {"Name": "trees", "MinValue": "50", "MaxValue": "400", "ScalingType": "Logarithmic"}
    ]
    job = request["TrainingJobDefinition"]
    assert "trees" not in job["StaticHyperParameters"]
    assert job["StaticHyperParameters"]["features"] == "{% $join($manifest.features, ',') %}"
    assert job["AlgorithmSpecification"]["MetricDefinitions"]
    assert "HyperParameters" not in job
    assert "WarmStartConfig" not in request


def test_hyperband_has_epochs_and_stops_by_itself(stack: cdk.Stack, synth: Synth) -> None:
    tuning = Tuning.hyperband(
        metric="worst_fold_alert_rate",
        goal="Minimize",
        ranges=[
            ParameterRange.continuous("learning-rate", 0.0001, 0.1, scaling="Logarithmic"),
            ParameterRange.categorical("hidden", ["8", "16"]),
        ],
        epochs=(5, 50),
    )
    config = searched(stack, synth, tuning, algorithm=Algorithm.autoencoder())["Train"]["Arguments"][
        "HyperParameterTuningJobConfig"
    ]
    assert config["StrategyConfig"] == {"HyperbandStrategyConfig": {"MinResource": 5, "MaxResource": 50}}
    assert config["TrainingJobEarlyStoppingType"] == "Off"
    assert config["ParameterRanges"]["CategoricalParameterRanges"] == [{"Name": "hidden", "Values": ["8", "16"]}]
    assert config["ParameterRanges"]["ContinuousParameterRanges"][0]["MaxValue"] == "0.1"


@pytest.mark.parametrize(("same", "kind"), [(False, "TransferLearning"), (True, "IdenticalDataAndAlgorithm")])
def test_a_warm_start_names_its_parents(stack: cdk.Stack, synth: Synth, same: bool, kind: str) -> None:
    warm = WarmStart(parents=["before"], same_data=same)
    tuning = Tuning.bayesian(metric="worst_fold_alert_rate", goal="Minimize", ranges=[TREES], warm_start=warm)
    assert searched(stack, synth, tuning)["Train"]["Arguments"]["WarmStartConfig"] == {
        "WarmStartType": kind,
        "ParentHyperParameterTuningJobs": [{"HyperParameterTuningJobName": "before"}],
    }


def test_the_best_job_is_the_candidate_and_a_search_without_one_fails(stack: cdk.Stack, synth: Synth) -> None:
    tuning = Tuning.bayesian(metric="worst_fold_alert_rate", goal="Minimize", ranges=[TREES])
    found = searched(stack, synth, tuning)
    assert followers(found["Train"]) == {"HasBest", "Announce"}
    assert followers(found["HasBest"]) == {"DescribeBest", "NoBest"}
    assert found["NoBest"]["Assign"]["error"] == "TrainFailed"
    assert followers(found["DescribeBest"]) == {"FindChampion", "Announce"}


def test_names_have_32_characters_at_most_and_the_role_is_limited_to_them(stack: cdk.Stack, synth: Synth) -> None:
    pipeline(stack, options=TrainingOptions(tuning=Tuning.bayesian(ranges=[TREES], **RATE)))  # type: ignore[arg-type]
    template = synth(stack)
    name = definition(template)["States"]["Train"]["Arguments"]["HyperParameterTuningJobName"]
    (prefix,) = re.findall(r"'([a-z0-9-]+)-' &", name)
    assert len(prefix) + 1 + 16 <= 32
    actions = template.actions("PipelineMachine")
    assert "sagemaker:CreateHyperParameterTuningJob" in actions
    assert "sagemaker:CreateTrainingJob" not in actions
    assert str(template.statements("PipelineMachine")).count(f"training-job/{prefix}-*") == 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"ranges": []}, "ranges must be between 1 and 30 for Bayesian tuning, got 0"),
        ({"ranges": [TREES, TREES]}, "ranges must name each hyperparameter once"),
        ({"max_jobs": 751}, "max_jobs must be between 1 and 750"),
        ({"parallel_jobs": 21}, "parallel_jobs must be between 1 and 20"),
        ({"goal": "Best"}, "goal must be one of ['Minimize', 'Maximize']"),
        ({"metric": ""}, "metric must not be empty"),
    ],
)
def test_fails_on_a_search_that_sagemaker_would_refuse(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(PropError, match=re.escape(message)):
        Tuning.bayesian(**{**RATE, "ranges": [TREES], **changes})


@pytest.mark.parametrize("epochs", [(5, 5), (0, 5), (5, 20_001)])
def test_fails_on_epochs_that_do_not_rise(epochs: tuple[int, int]) -> None:
    with pytest.raises(PropError, match="epochs must rise"):
        Tuning.hyperband(ranges=[TREES], epochs=epochs, **RATE)  # type: ignore[arg-type]


def test_fails_on_hyperband_with_early_stop() -> None:
    with pytest.raises(PropError, match="early_stop must be false"):
        Tuning(
            strategy="Hyperband",
            metric="m",
            goal="Minimize",
            ranges=[TREES],
            max_jobs=1,
            parallel_jobs=1,
            max_minutes=10,
            early_stop=True,
            epochs=(1, 2),
        )


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ParameterRange.integer("n", 5, 5), "low must be below high"),
        (lambda: ParameterRange(kind="Integer", name="n", values=("few", "many")), "low must be below high"),
        (lambda: ParameterRange(kind="Continuous", name="n", values=("1",)), "low must be below high"),
        (lambda: ParameterRange.continuous("n", 0, 1, scaling="Logarithmic"), "low must be above 0"),
        (lambda: ParameterRange.categorical("n", ["a", "a"]), "values must be 1 to 30 different ones"),
        (lambda: WarmStart(parents=[]), "parents must be between 1 and 5"),
    ],
)
def test_fails_on_ranges_and_parents_that_make_no_sense(make: Callable[[], object], message: str) -> None:
    with pytest.raises(PropError, match=re.escape(message)):
        make()


def test_fails_on_a_metric_that_the_algorithm_does_not_report(stack: cdk.Stack) -> None:
    tuning = Tuning.bayesian(metric="loss", goal="Minimize", ranges=[TREES])
    with pytest.raises(PropError, match="tuning must optimise one of .* for algorithm 'isolation-forest', got 'loss'"):
        pipeline(stack, options=TrainingOptions(tuning=tuning))


def test_nag_is_clean(stack: cdk.Stack, nag: Callable[[cdk.Stack], list[str]]) -> None:
    tuning = Tuning.bayesian(metric="worst_fold_alert_rate", goal="Minimize", ranges=[TREES])
    pipeline(stack, options=TrainingOptions(tuning=tuning))
    assert nag(stack) == []
