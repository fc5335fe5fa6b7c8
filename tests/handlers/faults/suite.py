"""All faults of the handlers, by name."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace

from tests.handlers.faults import cases, s3_cases, time_cases, window_cases
from tests.handlers.faults.accounts import Row

COUNT = 10_000
CASES: Mapping[str, Callable[[int], Row]] = {
    "poison message": cases.poison,
    "endpoint 5xx": cases.endpoint_errors,
    "throttling: endpoint": cases.throttled("endpoint", "endpoint", 0.5),
    "throttling: DynamoDB": cases.throttled("ledger", "DynamoDB", 0.3),
    "throttling: Firehose": cases.throttled("log", "Firehose", 0.3),
    "throttling: SQS": cases.throttled_dead_letters,
    "throttling: Kinesis": cases.throttled_stream,
    "model process killed mid-batch": cases.model_killed,
    "Lambda killed mid-batch": cases.lambda_killed,
    "duplicates": cases.duplicates,
    "out of order": cases.out_of_order,
    "out of order, with windows": window_cases.out_of_order,
    "endpoint deleted": time_cases.endpoint_deleted,
    "endpoint deleted, redriven": time_cases.endpoint_recreated,
    "S3 refused: normalisation artifact": window_cases.s3_refused,
    "S3 refused: replay": s3_cases.replay,
    "S3 refused: registration": s3_cases.registration,
    "clock skew": time_cases.clock_skew,
}


def run(name: str, *, count: int = COUNT) -> Row:
    """Run one fault and return its accounts with the seconds that it took."""
    begun = time.perf_counter()
    row = CASES[name](count)
    return replace(row, seconds=round(time.perf_counter() - begun, 1))
