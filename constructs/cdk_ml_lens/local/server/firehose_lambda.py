"""Firehose's transformation by a Lambda function: batches, retries, one answer for each record."""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Iterator
from typing import Any

from .firehose_items import Item, Refused, not_processed

MEBIBYTE = 1024 * 1024
RETRIES = 3  # AWS's default; it waits a minute or so between attempts, this server does not
CALL_FAULTS = ("Lambda.FunctionError", "Lambda.InvokeAccessDenied", "Lambda.InvokeLimitExceeded")
Config = dict[str, Any]


def parameters(config: Config) -> dict[str, str] | None:
    """Return the parameters of the Lambda processor, ``None`` if there is none."""
    processing = config.get("ProcessingConfiguration") or {}
    if not processing.get("Enabled"):
        return None
    for processor in processing.get("Processors") or []:
        if processor.get("Type") == "Lambda":
            return {item["ParameterName"]: item["ParameterValue"] for item in processor.get("Parameters") or []}
    return None


def transform(client: Any, stream: Config, config: Config, items: list[Item]) -> tuple[list[Item], list[Refused]]:
    """Let the function answer for every record.

    Parameters
    ----------
    client
        Lambda client that acts as the stream's role.
    stream, config
        The stream's record and its destination's configuration.
    items
        Records; those with result ``Ok`` are changed and returned.
    """
    given = parameters(config)
    if given is None:
        return items, []
    kept: list[Item] = []
    refused: list[Refused] = []
    for batch in _batches(items, float(given.get("BufferSizeInMBs") or 1) * MEBIBYTE):
        attempts = 1 + int(given.get("NumberOfRetries") or RETRIES)
        answers, fault = _ask(client, given["LambdaArn"], stream["arn"], batch, attempts)
        for item in batch:
            outcome = fault if fault is not None else _settled(item, answers.get(item.id))
            if isinstance(outcome, Fault):
                tries = attempts if fault is not None else 1
                failure = not_processed(
                    item, outcome.code, outcome.message, attempts=tries, function=given["LambdaArn"]
                )
                refused.append(failure)
            elif outcome:
                kept.append(item)
    return kept, refused


class Fault:
    """Why a record or a batch was not processed."""

    def __init__(self, code: str, message: str) -> None:
        self.code = f"Lambda.{code}"
        self.message = message


def _batches(items: list[Item], limit: float) -> Iterator[list[Item]]:
    batch: list[Item] = []
    size = 0
    for item in items:
        if batch and size + len(item.source) > limit:
            yield batch
            batch, size = [], 0
        batch.append(item)
        size += len(item.source)
    if batch:
        yield batch


def _ask(
    client: Any, function: str, stream_arn: str, batch: list[Item], attempts: int
) -> tuple[dict[str, Config], Fault | None]:
    """Return the answers by record id, or why there are none."""
    event = {
        "invocationId": str(uuid.uuid4()),
        "deliveryStreamArn": stream_arn,
        "region": stream_arn.split(":")[3],
        "records": [
            {
                "recordId": item.id,
                "approximateArrivalTimestamp": item.arrived,
                "data": base64.b64encode(item.source).decode(),
            }
            for item in batch
        ],
    }
    fault = Fault("FunctionError", "The Lambda function was not called.")
    for _ in range(attempts):
        try:
            answer = client.invoke(FunctionName=function, Payload=json.dumps(event).encode())
            body = json.loads(answer["Payload"].read() or b"null")
        except Exception as failure:  # throttled, not allowed, gone: AWS retries them all
            fault = Fault(
                "InvokeAccessDenied" if "AccessDenied" in str(failure) else "InvokeLimitExceeded", str(failure)
            )
            continue
        if "FunctionError" in answer:
            fault = Fault("FunctionError", f"The Lambda function was invoked but it returned an error result. {body}")
        elif not isinstance(body, dict) or not isinstance(body.get("records"), list):
            fault = Fault("MissingRecordId", "The answer of the Lambda function has no records.")
        else:
            found = [record for record in body["records"] if isinstance(record, dict)]
            return {str(record.get("recordId")): record for record in found}, None
    return {}, fault


def _settled(item: Item, answer: Config | None) -> Fault | bool:
    """Take the answer into ``item``; whether it goes on, or why it fails."""
    if answer is None:
        return Fault("MissingRecordId", "The recordId is missing in the answer of the Lambda function.")
    if answer.get("result") == "Dropped":
        return False
    if answer.get("result") != "Ok":
        return Fault("ProcessingFailedStatus", "ProcessingFailed status set for record")
    try:
        item.data = base64.b64decode(answer.get("data") or "")
    except (TypeError, ValueError) as fault:
        return Fault("JsonProcessingException", f"The data of the record is not base64: {fault}")
    keys = (answer.get("metadata") or {}).get("partitionKeys") or {}
    item.keys = {str(name): str(value) for name, value in keys.items()}
    return True
