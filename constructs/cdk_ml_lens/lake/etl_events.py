"""The events of an ETL job: runs that failed, said by Glue, and batches that its quality gate refused."""

from __future__ import annotations

from aws_cdk import aws_events as events

EVENT_SOURCE = "cdk-ml-lens.lake"
_REFUSED = "Data Quality Failed"
_FAILED_STATES = ("ERROR", "FAILED", "TIMEOUT")


def failed_runs(job_name: str) -> events.EventPattern:
    """Match runs of a job that failed or ran out of time.

    Source: https://docs.aws.amazon.com/glue/latest/dg/automating-awsglue-with-cloudwatch-events.html
    """
    detail = {"jobName": [job_name], "state": list(_FAILED_STATES)}
    return events.EventPattern(source=["aws.glue"], detail_type=["Glue Job State Change"], detail=detail)


def refused_batches(table: str) -> events.EventPattern:
    """Match batches that were to become ``database.table`` and were refused."""
    return events.EventPattern(source=[EVENT_SOURCE], detail_type=[_REFUSED], detail={"table": [table]})
