"""ApprovalPolicy: who lets a registered model version go to an endpoint, and for how long that may take."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from cdk_ml_lens.core.errors import Faults

Status = Literal["PendingManualApproval", "Approved"]


@dataclass(frozen=True, kw_only=True)
class ApprovalPolicy:
    """How a version that passed its gate is approved. Make one with `manual` or `automatic`.

    Parameters
    ----------
    status : {"PendingManualApproval", "Approved"}
        Status of a new version.
    expire_days : int, optional
        Age at which a version can be deployed no more, in days. Default: never.

    Raises
    ------
    PropError
        When the status is not one of a model package, or the days are out of range.

    Notes
    -----
    Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateModelPackage.html, ModelApprovalStatus.
    Lens best practice MLOPS06-BP01.
    """

    status: Status
    expire_days: int | None = None

    def __post_init__(self) -> None:
        faults = Faults("approval policy")
        known = ("PendingManualApproval", "Approved")
        faults.unless(self.status in known, "status", f"be one of {known}", self.status)
        if self.expire_days is not None:
            faults.within("expire_days", self.expire_days, 1, 3650)
        faults.raise_any()

    @staticmethod
    def manual(*, expire_days: int | None = 30) -> ApprovalPolicy:
        """Wait for a person; what was registered too long ago was measured on data that is no more today's.

        Parameters
        ----------
        expire_days : int, optional
            Age at which a version can be deployed no more, in days; ``None``: never. Default: 30.
        """
        return ApprovalPolicy(status="PendingManualApproval", expire_days=expire_days)

    @staticmethod
    def automatic() -> ApprovalPolicy:
        """Approve every version that passed its gate."""
        return ApprovalPolicy(status="Approved")
