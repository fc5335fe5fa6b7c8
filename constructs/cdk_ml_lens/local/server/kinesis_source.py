"""Lambda's Kinesis event source as AWS has it: per shard in order, with partial failure, bisection, failure record."""

from __future__ import annotations

import time
from typing import Any

from ministack.core.arn import ArnParseError, parse_arn
from ministack.core.responses import request_scope
from ministack.services import kinesis, lambda_svc

from . import function_roles
from .kinesis_shard import Shard
from .lambda_queue import Invocations

Record = dict[str, Any]


class _Poller:
    """Finds shards with a batch to deliver; each batch runs on its own thread, one per shard."""

    def __init__(self, invocations: Invocations) -> None:
        self._invocations = invocations
        self._shards: dict[tuple[str, str], Shard] = {}

    def poll(self) -> bool:
        """Start what can be started; whether anything was."""
        started = False
        for account, region, esm in lambda_svc._iter_all_esms():
            with request_scope(account, region):
                stream = _stream(esm)
                function, _ = lambda_svc._get_func_record_for_qualifier(esm["FunctionName"], esm.get("Qualifier"))
                if stream is None or function is None or not esm.get("Enabled", True):
                    continue
                for shard_id, source in stream["shards"].items():
                    started |= self._start(esm, function, shard_id, source["records"])
        return started

    def _start(self, esm: Record, function: Record, shard_id: str, records: list[Record]) -> bool:
        key = (esm["UUID"], shard_id)
        if key not in self._shards:
            trim = esm.get("StartingPosition", "LATEST") == "TRIM_HORIZON"
            self._shards[key] = Shard(shard_id=shard_id, position=0 if trim else len(records))
        shard = self._shards[key]
        running = f"{esm['UUID']}/{shard_id}"
        if lambda_svc._esm_inflight.get(running, 0) or shard.retry_at > time.monotonic():
            return False
        batch = shard.next_batch(esm, records)
        if batch and not function_roles.may_poll(function, esm["EventSourceArn"]):
            shard.retry_at = time.monotonic() + function_roles.PAUSE_SECONDS
            return False
        if batch:
            lambda_svc._dispatch_esm_batch(running, self._deliver, esm, function, shard, batch)
        return bool(batch)

    def _deliver(self, esm: Record, function: Record, shard: Shard, batch: list[Record]) -> None:
        events = lambda_svc._apply_filter_criteria([_event(esm, shard, record) for record in batch], esm)
        result = self._invocations.execute(function, {"Records": events}) if events else {}
        shard.settle(esm, function, batch, result, submit=self._invocations.submit)


def install(invocations: Invocations) -> None:
    """Replace MiniStack's Kinesis poller, which retries a failing batch for ever and holds up all others."""
    lambda_svc._poll_kinesis = _Poller(invocations).poll


def _stream(esm: Record) -> Record | None:
    try:
        source = parse_arn(esm.get("EventSourceArn", ""))
    except ArnParseError:
        return None
    if source.service != "kinesis":
        return None
    found: Record | None = kinesis._streams.get_scoped(
        source.account_id, source.region, source.resource.removeprefix("stream/")
    )
    return found if found is not None and found["StreamStatus"] == "ACTIVE" else None


def _event(esm: Record, shard: Shard, record: Record) -> Record:
    arn = esm["EventSourceArn"]
    return {
        "kinesis": {
            "kinesisSchemaVersion": "1.0",
            "partitionKey": record["PartitionKey"],
            "sequenceNumber": record["SequenceNumber"],
            "data": record["Data"],
            "approximateArrivalTimestamp": record["ApproximateArrivalTimestamp"],
        },
        "eventSource": "aws:kinesis",
        "eventVersion": "1.0",
        "eventID": f"{shard.shard_id}:{record['SequenceNumber']}",
        "eventName": "aws:kinesis:record",
        "awsRegion": arn.split(":")[3],
        "eventSourceARN": arn,
    }
