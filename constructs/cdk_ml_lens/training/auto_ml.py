"""AutoMl: SageMaker AI chooses and trains a tabular model itself, as a value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from aws_cdk import aws_iam as iam

from cdk_ml_lens.core.errors import Faults

Problem = Literal["BinaryClassification", "MulticlassClassification", "Regression"]
# https://docs.aws.amazon.com/sagemaker/latest/dg/autopilot-metrics-validation.html
_OBJECTIVES: dict[str, tuple[str, ...]] = {
    "BinaryClassification": ("Accuracy", "AUC", "BalancedAccuracy", "F1", "Precision", "Recall"),
    "MulticlassClassification": ("Accuracy", "BalancedAccuracy", "F1macro", "PrecisionMacro", "RecallMacro"),
    "Regression": ("MAE", "MSE", "R2", "RMSE"),
}


@dataclass(frozen=True, kw_only=True)
class AutoMl:
    """A CreateAutoMLJobV2 job over CSV files with a header, in ensembling mode, whose model is one container.

    Parameters
    ----------
    role : IRole
        Role of the job. AWS documents no smaller policy for it than ``AmazonSageMakerFullAccess``, so it is yours to
        make; the pipeline grants it datasets and the registry's bucket.
    target : str
        Column to predict.
    problem : {"BinaryClassification", "MulticlassClassification", "Regression"}
        What kind of column it is.
    objective : str
        Metric that is optimised, such as ``AUC`` or ``RMSE``.
    max_minutes : int
        The job is stopped after this. Default: 120.

    Raises
    ------
    PropError
        When the objective does not go with the problem, or the time is out of range.

    Notes
    -----
    Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateAutoMLJobV2.html
    """

    role: iam.IRole
    target: str
    problem: Problem
    objective: str
    max_minutes: int = 120

    def __post_init__(self) -> None:
        faults = Faults("AutoML")
        faults.unless(bool(self.target), "target", "not be empty", self.target)
        known = sorted(_OBJECTIVES)
        faults.unless(self.problem in known, "problem", f"be one of {known}", self.problem)
        fitting = _OBJECTIVES.get(self.problem, ())
        faults.unless(self.objective in fitting, "objective", f"be one of {list(fitting)}", self.objective)
        faults.within("max_minutes", self.max_minutes, 10, 24 * 60)
        faults.raise_any()
