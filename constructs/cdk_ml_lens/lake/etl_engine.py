"""Engine and JobLimits: on how many machines an ETL job runs, for how long and how often."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from cdk_ml_lens.core.errors import Faults

EngineKind = Literal["single_node", "spark"]
_WORKERS = ("G.1X", "G.2X", "G.4X", "G.8X", "R.1X", "R.2X", "R.4X", "R.8X")
_SOURCE = "see docs.aws.amazon.com/glue/latest/dg/worker-types.html"


@dataclass(frozen=True, kw_only=True)
class Engine:
    """On what a job's kernel runs; both engines run the same kernel and give the same table.

    Parameters
    ----------
    kind : {"single_node", "spark"}
        Which engine.
    worker_type : str
        Glue worker type: ``G.1X`` has 4 vCPUs and 16 GB, each next doubles both, ``R`` has twice the memory.
    workers : int
        Workers, the driver included.

    Raises
    ------
    PropError
        When the worker type is unknown or the number out of Glue's range.

    Notes
    -----
    Source: https://docs.aws.amazon.com/glue/latest/dg/worker-types.html. Lens best practice MLCOST04-BP01.
    """

    kind: EngineKind
    worker_type: str
    workers: int

    def __post_init__(self) -> None:
        faults = Faults(f"engine {self.kind}")
        faults.unless(self.kind in ("single_node", "spark"), "kind", "be single_node or spark", self.kind)
        faults.unless(
            self.worker_type in _WORKERS, "worker_type", f"be one of {list(_WORKERS)}", self.worker_type, _SOURCE
        )
        faults.within("workers", self.workers, 2, 299, _SOURCE)
        faults.raise_any()

    @staticmethod
    def single_node(*, worker_type: str = "G.1X") -> Engine:
        """One process on the driver, device by device, without a Spark session.

        Memory grows with the largest device, not with the table. Glue starts two workers at least.
        """
        return Engine(kind="single_node", worker_type=worker_type, workers=2)

    @staticmethod
    def spark(*, workers: int = 10, worker_type: str = "G.1X") -> Engine:
        """The kernel on every worker, a task per device; large devices are cut by time."""
        return Engine(kind="spark", worker_type=worker_type, workers=workers)


@dataclass(frozen=True, kw_only=True)
class JobLimits:
    """How long, how often and how many at once.

    Parameters
    ----------
    timeout_minutes : int
        A run is stopped after this. Default: 120, 1 to 10,080.
    retries : int
        Runs that Glue starts again when one fails, 0 to 10. Default: 0; a pipeline tries again by itself.
    concurrency : int
        Runs at once. Default: 1, so that two runs never publish the same table.
    bookmarks : bool
        Whether Glue remembers what a script has read. Default: false; the steps version their whole input instead.

    Raises
    ------
    PropError
        When a number is out of range.

    Notes
    -----
    Source: https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-jobs-job.html
    """

    timeout_minutes: int = 120
    retries: int = 0
    concurrency: int = 1
    bookmarks: bool = False

    def __post_init__(self) -> None:
        faults = Faults("job limits")
        faults.within("timeout_minutes", self.timeout_minutes, 1, 10_080)
        faults.within("retries", self.retries, 0, 10)
        faults.within("concurrency", self.concurrency, 1, 1000)
        faults.raise_any()
