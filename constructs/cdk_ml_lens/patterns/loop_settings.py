"""LoopSettings: everything about a loop that an environment decides, each part a value of its own floor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from cdk_ml_lens.core.errors import Faults
from cdk_ml_lens.hosting.deployment_shape import EndpointShape
from cdk_ml_lens.hosting.rollout import Rollout
from cdk_ml_lens.monitoring.drift_schedule import DriftSchedule, MonitoringJob
from cdk_ml_lens.monitoring.drift_values import DriftRules
from cdk_ml_lens.registry.approval import ApprovalPolicy
from cdk_ml_lens.training.options import TrainingOptions
from cdk_ml_lens.training.registration import Registration
from cdk_ml_lens.training.retraining_values import RetrainingCause, RetrainingPolicy

_NEW_DATA = RetrainingCause.new_data()


@dataclass(frozen=True, kw_only=True)
class LoopSettings:
    """Instances, approval, roll-out, monitoring and retraining of a `MlopsLoop`.

    Parameters
    ----------
    training : TrainingOptions
        Default: one ``ml.m5.large`` on demand without a network.
    approval : ApprovalPolicy
        Default: by a person, within 30 days.
    registration : Registration
        The endpoint that versions are meant for. Default: one ``ml.m5.large``.
    shape : EndpointShape, optional
        Default: what a version's manifest says, in the algorithm's image, everything captured.
    rollout : Rollout, optional
        Default: ``Rollout.canary()``.
    rules : DriftRules
        When a window has drifted. Default: ``DriftRules()``.
    schedule : DriftSchedule
        How often traffic is judged. Default: every day.
    monitoring : MonitoringJob
        On what. Default: one ``ml.t3.medium``.
    causes : sequence of RetrainingCause
        Why a model is trained again, beside drift. Default: new data.
    policy : RetrainingPolicy
        Default: 6 hours and 1,000 new rows at least.

    Raises
    ------
    PropError
        When the shape keeps no traffic: there would be nothing to judge.
    """

    training: TrainingOptions = field(default_factory=TrainingOptions)
    approval: ApprovalPolicy = field(default_factory=ApprovalPolicy.manual)
    registration: Registration = field(default_factory=Registration)
    shape: EndpointShape | None = None
    rollout: Rollout | None = None
    rules: DriftRules = field(default_factory=DriftRules)
    schedule: DriftSchedule = field(default_factory=DriftSchedule)
    monitoring: MonitoringJob = field(default_factory=MonitoringJob)
    causes: Sequence[RetrainingCause] = (_NEW_DATA,)
    policy: RetrainingPolicy = field(default_factory=RetrainingPolicy)

    def __post_init__(self) -> None:
        faults = Faults("loop settings")
        captured = self.shape is None or self.shape.capture is not None
        faults.unless(captured, "shape", "have a capture", self.shape, "drift is looked for in captured traffic")
        faults.raise_any()
