"""The alarms of a StreamIngest: rows that are late, and records that did not become rows."""

from __future__ import annotations

from cdk_ml_lens.core.alarms import AlarmRule

_LOG = "look at the stream's error log and the errors table."
# Dynamic partitioning buffers in stages, 1.5 times the hint: https://docs.aws.amazon.com/firehose/latest/dev/buffering.html
_SLACK_SECONDS = 600
DELIVERY_ALARMS = {
    "TransformAlarm": AlarmRule(
        metric="ExecuteProcessing.Success",
        statistic="Minimum",
        threshold=1,
        comparison="below",
        description=f"The transform function failed; its batches are retried, then in the errors table: {_LOG}",
    ),
    "ConversionAlarm": AlarmRule(
        metric="FailedConversion.Records", threshold=0, description=f"Rows do not fit the table's schema: {_LOG}"
    ),
    "PartitionsAlarm": AlarmRule(
        metric="PartitionCountExceeded",
        statistic="Maximum",
        threshold=0,
        description="More devices at once than the stream has partitions (500 by default): ask for a higher quota.",
    ),
    "ThrottleAlarm": AlarmRule(
        metric="ThrottledRecords",
        threshold=0,
        description="Writers were throttled: ask AWS for a higher quota of the stream.",
    ),
    "BackupAlarm": AlarmRule(
        metric="BackupToS3.DataFreshness",
        statistic="Maximum",
        threshold=1800,
        periods=2,
        description=f"Originals are not backed up for half an hour: {_LOG}",
    ),
}
BEHIND_ALARM = AlarmRule(
    metric="KinesisMillisBehindLatest",
    statistic="Maximum",
    threshold=900_000,
    periods=2,
    description="The stream reads its source with a delay of over 15 minutes: raise its quota.",
)
REFUSED_ALARM = AlarmRule(
    metric="RecordsRefused",
    threshold=0,
    description="Records were no readings; the errors table has them, the transform's log the reason by trace id.",
)


def freshness_alarm(buffer_seconds: int) -> AlarmRule:
    """Return the alarm on rows that wait longer than is wanted.

    Parameters
    ----------
    buffer_seconds : int
        Longest wait that is wanted, in seconds.
    """
    late = round(1.5 * buffer_seconds) + _SLACK_SECONDS
    return AlarmRule(
        metric="DeliveryToS3.DataFreshness",
        statistic="Maximum",
        threshold=late,
        periods=2,
        description=f"The oldest record waits over {late} s for the lake: {_LOG}",
    )
