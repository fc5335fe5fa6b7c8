"""The arguments of a step's job: what ``jobs/run_step.py`` reads, and what Glue itself does."""

from __future__ import annotations

import json

from cdk_ml_lens.lake.etl_engine import Engine, JobLimits
from cdk_ml_lens.lake.etl_step import EtlStep
from cdk_ml_lens.lake.lake_table import LakeTable

# The version that the tests of etl_src run with; Glue installs it when a run starts.
MODULES = "polars==2.1.0"


def job_arguments(
    step: EtlStep, *, engine: Engine, limits: JobLimits, log_prefix: str, event_bus_name: str
) -> dict[str, str]:
    """Return the default arguments of the job.

    Parameters
    ----------
    step : EtlStep
        What it does.
    engine : Engine
        On what.
    limits : JobLimits
        Whether Glue keeps bookmarks.
    log_prefix : str
        First part of the names of its log groups.
    event_bus_name : str
        Bus that hears of refused batches.

    Notes
    -----
    Source: https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-etl-glue-arguments.html
    """
    own = dict(step.arguments) if step.name == "script" else _step_arguments(step, engine, event_bus_name)
    return {
        "--additional-python-modules": MODULES,
        "--custom-logGroup-prefix": log_prefix,
        "--job-bookmark-option": f"job-bookmark-{'enable' if limits.bookmarks else 'disable'}",
        **own,
    }


def _step_arguments(step: EtlStep, engine: Engine, event_bus_name: str) -> dict[str, str]:
    target = step.target
    assert step.feature_set is not None  # every step but a script has one,
    assert target is not None  # and publishes
    bucket = f"s3://{target.bucket.bucket_name}"
    arguments = {
        "--step": step.name,
        "--engine": engine.kind,
        "--feature_set": step.feature_set.render(),
        "--source": _qualified(step.source),
        "--target": _qualified(target),
        "--target_location": target.location,
        "--quarantine": f"{bucket}/{target.quarantine_prefix}",
        "--quality": json.dumps([rule.text for rule in step.quality.rules]),
        "--max_quarantined_share": str(step.quality.max_quarantined_share),
        "--event_bus": event_bus_name,
    }
    if step.artifacts_prefix is not None:
        arguments["--artifacts"] = f"{bucket}/{step.artifacts_prefix}"
    return arguments


def _qualified(table: LakeTable) -> str:
    return f"{table.database_name}.{table.name}"
