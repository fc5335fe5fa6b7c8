"""Transform jobs: a model server over the objects of a prefix, filtered and joined, as batch transform does."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from botocore.exceptions import ClientError

from . import storage
from .model_process import ModelFailedError, ModelProcesses
from .model_shapes import Serving, start
from .moto_bridge import ApiError

Params = dict[str, Any]
_SLICE = re.compile(r"\$\[(-?\d*):(-?\d*)\]")
_PICK = re.compile(r"\$\[(-?\d+(?:,-?\d+)*)\]")


class TransformFailedError(Exception):
    """A transform job failed; the message is its failure reason."""


def run(job: Params, processes: ModelProcesses) -> int:
    """Run one job to its end and return the number of records.

    Only lines of CSV are served: other splits and contents are refused, not guessed.

    Raises
    ------
    TransformFailedError
        With the reason that DescribeTransformJob would give.
    """
    given = job["TransformInput"]
    if given.get("SplitType") != "Line" or given.get("ContentType") != "text/csv":
        raise TransformFailedError("the laptop cloud transforms lines of text/csv only")
    source = given["DataSource"]["S3DataSource"]["S3Uri"]
    names = storage.names(source)
    if not names:
        raise TransformFailedError(f"No S3 objects found under S3 URL {source}")
    try:
        process = start(job["ModelName"], processes)
    except (ModelFailedError, ApiError) as failure:
        raise TransformFailedError(str(failure)) from failure
    try:
        process.wait_until_ready()
        return sum(_object(job, process, name) for name in names)
    except (ModelFailedError, OSError, ClientError) as failure:  # the model is gone, or S3 does not take the answer
        raise TransformFailedError(str(failure)) from failure
    finally:
        process.stop()


def _object(job: Params, process: Serving, url: str) -> int:
    rows = [line.split(",") for line in storage.read(url).decode().splitlines() if line.strip()]
    processing = job.get("DataProcessing") or {}
    seen = [_filtered(processing.get("InputFilter", "$"), row) for row in rows]
    size = 1 if job.get("BatchStrategy") == "SingleRecord" else max(1, len(seen))
    answers: list[list[str]] = []
    for first in range(0, len(seen), size):
        answers += _ask(process, seen[first : first + size])
    joined = [row + answer for row, answer in zip(rows, answers, strict=True)] if _joins(processing) else answers
    kept = [_filtered(processing.get("OutputFilter", "$"), row) for row in joined]
    output = job["TransformOutput"]
    target = f"{output['S3OutputPath'].rstrip('/')}/{url.rsplit('/', 1)[1]}.out"
    storage.put(target, "".join(",".join(row) + "\n" for row in kept).encode(), kms_key=output.get("KmsKeyId"))
    return len(rows)


def _ask(process: Serving, rows: Sequence[Sequence[str]]) -> list[list[str]]:
    body = "\n".join(",".join(row) for row in rows).encode()
    reply = process.invoke(body, {"Content-Type": "text/csv", "Accept": "text/csv"})
    text = reply.body.decode(errors="replace")
    if reply.status >= 400:
        raise TransformFailedError(f"ClientError: the model answered {reply.status}: {text}")
    answers = [line.split(",") for line in text.splitlines()]
    if len(answers) != len(rows):
        raise TransformFailedError(f"the model gave {len(answers)} answers to {len(rows)} records")
    return answers


def _joins(processing: Params) -> bool:
    return processing.get("JoinSource") == "Input"


def _filtered(path: str, row: list[str]) -> list[str]:
    """Return the columns that a JSONPath of CSV picks: ``$``, ``$[1:]``, ``$[0,-1]``."""
    if path == "$":
        return row
    if found := _SLICE.fullmatch(path):
        first, last = (int(bound) if bound else None for bound in found.groups())
        return row[first:last]
    if found := _PICK.fullmatch(path):
        return [_column(row, int(index), path) for index in found.group(1).split(",")]
    raise TransformFailedError(f"the laptop cloud knows no JSONPath {path} of CSV")


def _column(row: list[str], index: int, path: str) -> str:
    try:
        return row[index]
    except IndexError as missing:
        raise TransformFailedError(f"{path} needs more columns than {','.join(row)} has") from missing
