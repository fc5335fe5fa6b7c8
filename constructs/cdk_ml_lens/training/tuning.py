"""Tuning: a search for hyperparameters in place of one training job, as a value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from cdk_ml_lens.core.errors import Faults
from cdk_ml_lens.training.tuning_ranges import ParameterRange, WarmStart

Strategy = Literal["Bayesian", "Hyperband"]
Goal = Literal["Minimize", "Maximize"]
_GOALS = ("Minimize", "Maximize")
_QUOTAS = "see docs.aws.amazon.com/sagemaker/latest/dg/automatic-model-tuning-limits.html"
_MOST_EPOCHS = 20_000  # API_HyperbandStrategyConfig
_LONGEST_MINUTES = 30 * 24 * 60


@dataclass(frozen=True, kw_only=True)
class Tuning:
    """A search. Make one with `bayesian` or `hyperband`.

    Parameters
    ----------
    strategy : {"Bayesian", "Hyperband"}
        How the next values are chosen.
    metric : str
        Metric of the algorithm that is optimised.
    goal : {"Minimize", "Maximize"}
        Which way is better.
    ranges : sequence of ParameterRange
        What is searched, 1 to 30.
    max_jobs : int
        Training jobs together, 1 to 750.
    parallel_jobs : int
        Training jobs at once, 1 to 100.
    max_minutes : int
        The search is stopped after this.
    early_stop : bool
        Whether hopeless jobs are stopped. Hyperband does that by itself.
    warm_start : WarmStart, optional
        Searches to learn from. Default: none.
    epochs : tuple of (int, int), optional
        Least and most epochs of a job, for Hyperband. Default: none.
    seed : int
        Seed of the search. Default: 0.

    Raises
    ------
    PropError
        When SageMaker AI would refuse a value.

    Notes
    -----
    Sources: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_HyperParameterTuningJobConfig.html,
    https://docs.aws.amazon.com/sagemaker/latest/dg/automatic-model-tuning-limits.html. Lens best practice
    MLPERF04-BP02.
    """

    strategy: Strategy
    metric: str
    goal: Goal
    ranges: Sequence[ParameterRange]
    max_jobs: int
    parallel_jobs: int
    max_minutes: int
    early_stop: bool
    warm_start: WarmStart | None = None
    epochs: tuple[int, int] | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "ranges", tuple(self.ranges))
        faults = Faults(f"{self.strategy} tuning")
        faults.unless(bool(self.metric), "metric", "not be empty", self.metric)
        faults.unless(self.goal in _GOALS, "goal", f"be one of {list(_GOALS)}", self.goal)
        faults.within("ranges", len(self.ranges), 1, 30, _QUOTAS)
        names = [given.name for given in self.ranges]
        faults.unless(len(set(names)) == len(names), "ranges", "name each hyperparameter once", names)
        faults.within("max_jobs", self.max_jobs, 1, 750, _QUOTAS)
        faults.within("parallel_jobs", self.parallel_jobs, 1, min(100, self.max_jobs), _QUOTAS)
        faults.within("max_minutes", self.max_minutes, 2, _LONGEST_MINUTES)
        self._check_epochs(faults)
        faults.raise_any()

    def _check_epochs(self, faults: Faults) -> None:
        hyperband = self.strategy == "Hyperband"
        faults.unless((self.epochs is not None) == hyperband, "epochs", "be given for Hyperband only", self.epochs)
        stops = "be false: Hyperband stops jobs by itself"
        faults.unless(not (hyperband and self.early_stop), "early_stop", stops, self.early_stop)
        if self.epochs is not None:
            least, most = self.epochs
            faults.unless(1 <= least < most <= _MOST_EPOCHS, "epochs", f"rise, up to {_MOST_EPOCHS}", self.epochs)

    @staticmethod
    def bayesian(
        *,
        metric: str,
        goal: Goal,
        ranges: Sequence[ParameterRange],
        max_jobs: int = 20,
        parallel_jobs: int = 2,
        max_minutes: int = 24 * 60,
        early_stop: bool = True,
        warm_start: WarmStart | None = None,
    ) -> Tuning:
        """Choose values by a model of what was measured so far; few jobs in parallel learn more.

        Parameters
        ----------
        metric, goal, ranges
            As for `Tuning`.
        max_jobs, parallel_jobs, max_minutes
            Default: 20 jobs, two at once, for at most a day.
        early_stop : bool
            Default: true.
        warm_start : WarmStart, optional
            Default: none.
        """
        return Tuning(
            strategy="Bayesian",
            metric=metric,
            goal=goal,
            ranges=ranges,
            max_jobs=max_jobs,
            parallel_jobs=parallel_jobs,
            max_minutes=max_minutes,
            early_stop=early_stop,
            warm_start=warm_start,
        )

    @staticmethod
    def hyperband(
        *,
        metric: str,
        goal: Goal,
        ranges: Sequence[ParameterRange],
        epochs: tuple[int, int],
        max_jobs: int = 50,
        parallel_jobs: int = 5,
        max_minutes: int = 24 * 60,
    ) -> Tuning:
        """Give many candidates a few epochs and the good ones more; for algorithms that report every epoch.

        Parameters
        ----------
        metric, goal, ranges
            As for `Tuning`.
        epochs : tuple of (int, int)
            Least and most epochs of a job.
        max_jobs, parallel_jobs, max_minutes
            Default: 50 jobs, five at once, for at most a day.
        """
        return Tuning(
            strategy="Hyperband",
            metric=metric,
            goal=goal,
            ranges=ranges,
            max_jobs=max_jobs,
            parallel_jobs=parallel_jobs,
            max_minutes=max_minutes,
            early_stop=False,
            epochs=epochs,
        )
