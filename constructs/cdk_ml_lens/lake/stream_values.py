"""Values of a stream ingest: where records come from, and where their originals are kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cdk_ml_lens.core.errors import Faults

if TYPE_CHECKING:
    from aws_cdk import aws_kinesis as kinesis

# Replay spans at most 31 days, and an original that is gone cannot be replayed.
_MOST_DAYS = 3650


@dataclass(frozen=True, kw_only=True)
class StreamSource:
    """Where the records of a `StreamIngest` come from; make one with `direct` or `stream`.

    Parameters
    ----------
    kinesis_stream : IStream, optional
        The data stream that Firehose reads. Default: none, writers call Firehose.

    Notes
    -----
    Source: https://docs.aws.amazon.com/firehose/latest/dev/create-name.html
    """

    kinesis_stream: kinesis.IStream | None = None

    @staticmethod
    def direct() -> StreamSource:
        """Writers call Firehose: the default; nothing to size, and nothing is paid while nothing is sent."""
        return StreamSource()

    @staticmethod
    def stream(stream: kinesis.IStream) -> StreamSource:
        """Firehose reads a Kinesis data stream, which others may read too.

        Parameters
        ----------
        stream : IStream
            The data stream. Its retention bridges an outage of Firehose.
        """
        return StreamSource(kinesis_stream=stream)


@dataclass(frozen=True, kw_only=True)
class SourceBackup:
    """How the original records are kept, byte for byte, before they are transformed.

    Parameters
    ----------
    days : int
        How long they are kept, in days; nothing older can be replayed. Default: 35.
    buffer_seconds : int
        Longest wait before an object is written, in seconds, 60 to 900. Default: 300.

    Raises
    ------
    PropError
        When a number is out of range.

    Notes
    -----
    Source: https://docs.aws.amazon.com/firehose/latest/dev/create-configure-backup.html. Lens best practice
    MLREL05-BP02.
    """

    days: int = 35
    buffer_seconds: int = 300

    def __post_init__(self) -> None:
        faults = Faults("source backup")
        faults.within("days", self.days, 1, _MOST_DAYS)
        # The replay reads one hour more on either side for what waited: 15 minutes at most.
        faults.within("buffer_seconds", self.buffer_seconds, 60, 900)
        faults.raise_any()
