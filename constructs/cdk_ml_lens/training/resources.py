"""TrainingResources, ManagedSpot and TrainingIsolation: on what, for how long and how closed off a job runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from cdk_ml_lens.core.errors import Faults
from cdk_ml_lens.core.refs import PrivateNetwork

InputMode = Literal["File", "FastFile", "Pipe"]
_MODES = ("File", "FastFile", "Pipe")
_LONGEST_MINUTES = 28 * 24 * 60  # 28 days: https://docs.aws.amazon.com/sagemaker/latest/dg/regions-quotas.html


@dataclass(frozen=True, kw_only=True)
class ManagedSpot:
    """Train on spare capacity; an interrupted job goes on from its last checkpoint.

    Parameters
    ----------
    max_wait_minutes : int
        Longest time for waiting and running together, in minutes.
    checkpoints : bool
        Whether ``/opt/ml/checkpoints`` is kept in S3. Without, an interrupted job begins anew. Default: true.

    Raises
    ------
    PropError
        When the time is out of range.

    Notes
    -----
    Source: https://docs.aws.amazon.com/sagemaker/latest/dg/model-managed-spot-training.html. Lens best practice
    MLCOST04-BP03.
    """

    max_wait_minutes: int
    checkpoints: bool = True

    def __post_init__(self) -> None:
        faults = Faults("managed spot")
        faults.within("max_wait_minutes", self.max_wait_minutes, 1, _LONGEST_MINUTES)
        faults.raise_any()


@dataclass(frozen=True, kw_only=True)
class TrainingResources:
    """Instances of a training job, and how data reaches them.

    Parameters
    ----------
    instance_type : str
        SageMaker AI instance type. Default: ``ml.m5.large``.
    instance_count : int
        Instances. Default: 1.
    volume_gb : int
        Volume of each instance, in GB. Default: 10.
    max_minutes : int
        A job is stopped after this. Default: 60.
    spot : ManagedSpot, optional
        Default: on demand.
    input_mode : {"File", "FastFile", "Pipe"}
        Whether data is copied first, read as files on demand, or streamed. Default: ``File``.

    Raises
    ------
    PropError
        When a number is out of range, or a spot job could not run as long as ``max_minutes``.

    Notes
    -----
    Sources: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ResourceConfig.html,
    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_StoppingCondition.html. Lens best practices
    MLCOST04-BP01, MLPERF04-BP01.
    """

    instance_type: str = "ml.m5.large"
    instance_count: int = 1
    volume_gb: int = 10
    max_minutes: int = 60
    spot: ManagedSpot | None = None
    input_mode: InputMode = "File"

    def __post_init__(self) -> None:
        faults = Faults("training resources")
        faults.unless(self.instance_type.startswith("ml."), "instance_type", "begin with ml.", self.instance_type)
        faults.within("instance_count", self.instance_count, 1, 100)
        faults.within("volume_gb", self.volume_gb, 1, 16_384)
        faults.within("max_minutes", self.max_minutes, 1, _LONGEST_MINUTES)
        faults.unless(self.input_mode in _MODES, "input_mode", f"be one of {list(_MODES)}", self.input_mode)
        if self.spot is not None:
            enough = self.spot.max_wait_minutes >= self.max_minutes
            hint = "it counts waiting and running"
            faults.unless(enough, "spot", f"wait at least max_minutes ({self.max_minutes})", self.spot, hint)
        faults.raise_any()

    @property
    def longest_minutes(self) -> int:
        """Longest time from start to end, in minutes."""
        return self.max_minutes if self.spot is None else self.spot.max_wait_minutes


@dataclass(frozen=True, kw_only=True)
class TrainingIsolation:
    """What the containers of training and evaluation can reach.

    Parameters
    ----------
    network : PrivateNetwork, optional
        VPC of the containers, such as an `IsolatedNetwork` with S3. Default: none.
    isolated : bool
        Whether containers have no network at all; SageMaker AI brings data, code and checkpoints. Default: true.
    encrypt_between : bool
        Whether traffic between the instances of one job is encrypted; it takes longer. Default: true.

    Notes
    -----
    Sources: https://docs.aws.amazon.com/sagemaker/latest/dg/mkt-algo-model-internet-free.html,
    https://docs.aws.amazon.com/sagemaker/latest/dg/train-encrypt.html. Lens best practice MLSEC05-BP01.
    """

    network: PrivateNetwork | None = None
    isolated: bool = True
    encrypt_between: bool = True
