"""The tuning of a pipeline, as CreateHyperParameterTuningJob takes it, and the states that run it."""

from __future__ import annotations

from typing import Any

from cdk_ml_lens.core.asl import States, caught, choice, js, note, task
from cdk_ml_lens.core.cost import job_tags
from cdk_ml_lens.training.plan import TrainingPlan
from cdk_ml_lens.training.train_step import LIMITS, PATIENT, SLACK_SECONDS, common, features, specification
from cdk_ml_lens.training.tuning import Tuning

_FAILED = "TrainFailed"


def tuning_prefix(plan: TrainingPlan) -> str:
    """Return the first part of a tuning job's name, which has 32 characters at most."""
    return plan.prefix[:15].rstrip("-")


def tune_states(plan: TrainingPlan, tuning: Tuning, *, next: str) -> States:
    """Return the states from ``Train`` to the best candidate: ``$modelData`` is its artifact."""
    name = js(f"'{tuning_prefix(plan)}-' & $substring($hash($me, 'SHA-256'), 0, 16)")
    catch = [caught(_FAILED, "Train", "Announce")]
    return {
        "Train": task(
            "sagemaker:createHyperParameterTuningJob.sync",
            {"HyperParameterTuningJobName": name, **tuning_job(plan, tuning), "Tags": job_tags(plan.scope)},
            next="HasBest",
            catch=catch,
            assign={
                "status": js("$states.result.HyperParameterTuningJobStatus"),
                "trainingJob": js(
                    "($name := $states.result.BestTrainingJob.TrainingJobName; $exists($name) ? $name : '')"
                ),
            },
            retry=PATIENT,
            retried=LIMITS,
            seconds=tuning.max_minutes * 60 + SLACK_SECONDS,
        ),
        "HasBest": choice(("$trainingJob != ''", "DescribeBest"), default="NoBest"),
        "NoBest": note(
            error=_FAILED,
            step="Train",
            reason=js("'the tuning ended as ' & $status & ' without a training job that reported the metric'"),
            next="Announce",
        ),
        "DescribeBest": task(
            "aws-sdk:sagemaker:describeTrainingJob",
            {"TrainingJobName": js("$trainingJob")},
            next=next,
            catch=catch,
            assign={
                "modelData": js("$states.result.ModelArtifacts.S3ModelArtifacts"),
                "hyperparameters": js("$states.result.HyperParameters"),
            },
        ),
    }


def tuning_job(plan: TrainingPlan, tuning: Tuning) -> dict[str, Any]:
    """Return CreateHyperParameterTuningJob's request without the name."""
    searched = {given.name for given in tuning.ranges}
    fixed = {name: value for name, value in plan.static_hyperparameters().items() if name not in searched}
    job = common(plan)
    job["StaticHyperParameters"] = {**fixed, **features(plan)}
    job["AlgorithmSpecification"] = specification(plan)
    request: dict[str, Any] = {"HyperParameterTuningJobConfig": _config(tuning), "TrainingJobDefinition": job}
    if tuning.warm_start is not None:
        request["WarmStartConfig"] = tuning.warm_start.render()
    return request


def _config(tuning: Tuning) -> dict[str, Any]:
    ranges = {
        f"{kind}ParameterRanges": [given.render() for given in tuning.ranges if given.kind == kind]
        for kind in ("Integer", "Continuous", "Categorical")
    }
    config: dict[str, Any] = {
        "Strategy": tuning.strategy,
        "HyperParameterTuningJobObjective": {"Type": tuning.goal, "MetricName": tuning.metric},
        "ResourceLimits": {
            "MaxNumberOfTrainingJobs": tuning.max_jobs,
            "MaxParallelTrainingJobs": tuning.parallel_jobs,
            "MaxRuntimeInSeconds": tuning.max_minutes * 60,
        },
        "ParameterRanges": ranges,
        "TrainingJobEarlyStoppingType": "Auto" if tuning.early_stop else "Off",
        "RandomSeed": tuning.seed,
    }
    if tuning.epochs is not None:
        least, most = tuning.epochs
        config["StrategyConfig"] = {"HyperbandStrategyConfig": {"MinResource": least, "MaxResource": most}}
    return config
