"""Ingestion: how readings travel from the topic rule to the scorer, as a choice of three values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from cdk_ml_lens.core.errors import Faults


class Ingestion:
    """Base of the three ways; make one with `queued`, `streamed` or `direct`."""

    mode: ClassVar[str] = ""

    @staticmethod
    def queued(
        *, batch: int = 100, window_seconds: int = 1, attempts: int = 10, max_concurrency: int = 10
    ) -> QueuedIngestion:
        """Rule → SQS → batches: the default; cheapest per reading, and nothing is lost while the model is away.

        Parameters
        ----------
        batch : int
            Most readings in one endpoint call. Default: 100.
        window_seconds : int
            Longest wait for a batch to fill, in seconds; the floor of the alert latency. Default: 1.
        attempts : int
            Deliveries of a reading before it is dead-lettered with its cause; ten bridge an outage of about ten
            minutes, by the pauses in between. Default: 10.
        max_concurrency : int
            Most scorers at once, so that a burst does not flood the endpoint. Default: 10.
        """
        return QueuedIngestion(
            batch=batch, window_seconds=window_seconds, attempts=attempts, max_concurrency=max_concurrency
        )

    @staticmethod
    def streamed(
        *, batch: int = 100, window_seconds: int = 1, attempts: int = 10, retention_hours: int = 24
    ) -> StreamedIngestion:
        """Rule → Kinesis, partitioned by device: readings of a device stay in order and can be replayed.

        Parameters
        ----------
        batch, window_seconds, attempts
            As for `queued`.
        retention_hours : int
            How far back a replay can reach, in hours. Default: 24.
        """
        return StreamedIngestion(
            batch=batch, window_seconds=window_seconds, attempts=attempts, retention_hours=retention_hours
        )

    @staticmethod
    def direct(*, reserved_concurrency: int = 5, retries: int = 2) -> DirectIngestion:
        """Rule → Lambda, one call per reading: lowest latency at low rates; bounded, with a failure destination.

        Parameters
        ----------
        reserved_concurrency : int
            Most scorers at once, reserved from the account's pool. Default: 5.
        retries : int
            Asynchronous retries of Lambda before the failure destination. Default: 2.
        """
        return DirectIngestion(reserved_concurrency=reserved_concurrency, retries=retries)


def _check_batches(faults: Faults, batch: int, window_seconds: int, attempts: int) -> None:
    faults.within("batch", batch, 1, 10_000)
    faults.within("window_seconds", window_seconds, 0, 300)
    faults.unless(
        batch <= 10 or window_seconds >= 1,
        "window_seconds",
        "be at least 1 when batch is over 10",
        window_seconds,
        "see CreateEventSourceMapping",
    )
    faults.within("attempts", attempts, 1, 1000)


@dataclass(frozen=True, kw_only=True)
class QueuedIngestion(Ingestion):
    """Made by `Ingestion.queued`. Source: API_CreateEventSourceMapping, API_SetQueueAttributes."""

    mode: ClassVar[str] = "queued"
    batch: int
    window_seconds: int
    attempts: int
    max_concurrency: int

    def __post_init__(self) -> None:
        faults = Faults("queued ingestion")
        _check_batches(faults, self.batch, self.window_seconds, self.attempts)
        faults.within("max_concurrency", self.max_concurrency, 2, 1000)
        faults.raise_any()


@dataclass(frozen=True, kw_only=True)
class StreamedIngestion(Ingestion):
    """Made by `Ingestion.streamed`. Source: API_CreateEventSourceMapping, API_IncreaseStreamRetentionPeriod."""

    mode: ClassVar[str] = "streamed"
    batch: int
    window_seconds: int
    attempts: int
    retention_hours: int

    def __post_init__(self) -> None:
        faults = Faults("streamed ingestion")
        _check_batches(faults, self.batch, self.window_seconds, self.attempts)
        faults.within("retention_hours", self.retention_hours, 24, 8760)
        faults.raise_any()


@dataclass(frozen=True, kw_only=True)
class DirectIngestion(Ingestion):
    """Made by `Ingestion.direct`. Source: API_PutFunctionConcurrency, API_PutFunctionEventInvokeConfig."""

    mode: ClassVar[str] = "direct"
    reserved_concurrency: int
    retries: int

    def __post_init__(self) -> None:
        faults = Faults("direct ingestion")
        faults.unless(
            self.reserved_concurrency >= 1, "reserved_concurrency", "be at least 1", self.reserved_concurrency
        )
        faults.within("retries", self.retries, 0, 2)
        faults.raise_any()
