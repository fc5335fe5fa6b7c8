"""From the A/B test's records to samples: the value of every user of one cohort, by side."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ml_lens_runtime.ab_journal import SHARDS, Item
from ml_lens_runtime.ab_plan import Plan
from ml_lens_runtime.stats import Sample

COHORT_INDEX = "cohorts"


def samples(cohort: int, *, plan: Plan, table: str, client: Any) -> tuple[Sample, Sample]:
    """Return control's and treatment's values of the users that came in one cohort."""
    values: tuple[list[float], list[float]] = ([], [])
    for shard in range(SHARDS):
        for item in _members(f"{cohort}#{shard}", table=table, client=client):
            value = user_value(item, metric=plan.metric)
            if value is not None:
                values[item["treated"]["BOOL"]].append(value)
    return sample_of(values[False]), sample_of(values[True])


def user_value(item: Item, *, metric: str) -> float | None:
    """Return what one user counts for, None if the metric leaves them out."""
    outcomes, wins, amount = (float(item.get(name, {"N": "0"})["N"]) for name in ("outcomes", "wins", "amount"))
    if metric == "conversion":
        return 1.0 if wins else 0.0
    if metric == "total":
        return amount
    return amount / outcomes if outcomes else None


def sample_of(values: list[float]) -> Sample:
    """Return the sample of some values, by two passes."""
    if not values:
        return Sample()
    mean = sum(values) / len(values)
    return Sample(count=len(values), mean=mean, squares=sum((value - mean) ** 2 for value in values))


def _members(key: str, *, table: str, client: Any) -> Iterator[Item]:
    pages = client.get_paginator("query").paginate(
        TableName=table,
        IndexName=COHORT_INDEX,
        KeyConditionExpression="cohort = :cohort",
        ExpressionAttributeValues={":cohort": {"S": key}},
    )
    for page in pages:
        yield from page["Items"]
