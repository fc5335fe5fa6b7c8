"""One InvokeEndpoint call for one request: no hidden retry, a deadline of its own, every failure as an HttpError."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config

from ml_lens_runtime import aws_errors, http_errors
from ml_lens_runtime.http_env import ApiSettings
from ml_lens_runtime.http_errors import HttpError
from ml_lens_runtime.http_request import Request

MOST_ANSWER_BYTES = 5_000_000  # Lambda answers a caller that waits with at most 6 MB
_VERSION_CHARACTERS = 256


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What the model said, who said it and in which version."""

    predictions: Any
    variant: str
    model_version: str


def client(settings: ApiSettings) -> Any:
    """Return the SageMaker runtime client; the caller decides whether to try again, so botocore does not."""
    config = Config(connect_timeout=1, read_timeout=settings.model_seconds, retries={"total_max_attempts": 1})
    return boto3.client("sagemaker-runtime", config=config)


def invoke(request: Request, *, settings: ApiSettings, runtime: Any, request_id: str) -> Answer:
    """Ask the model.

    Raises
    ------
    HttpError
        429, 502, 503 or 504. The AWS error is its cause.
    """
    try:
        response = runtime.invoke_endpoint(
            EndpointName=settings.endpoint_name,
            ContentType=settings.content_type,
            Accept="application/jsonlines" if settings.features else "application/json",
            InferenceId=request_id,
            Body=request.model_input(settings),
        )
        body = response["Body"].read(MOST_ANSWER_BYTES + 1)
    except aws_errors.AWS_ERRORS as error:
        raise http_errors.from_model(error) from error
    if len(body) > MOST_ANSWER_BYTES:
        raise _useless("The model's answer is too large.")
    predictions = _predictions(body, media=str(response.get("ContentType", "")), settings=settings)
    if settings.features and len(predictions) != len(request.document["instances"]):
        raise _useless("The model did not answer every instance once.")
    return Answer(
        predictions=predictions,
        variant=str(response.get("InvokedProductionVariant", "")),
        model_version=_version(predictions, fallback=settings.model_version),
    )


def cause(error: BaseException) -> str:
    """Return the code of an AWS error, or the class of any other; the texts of both may quote the request."""
    return aws_errors.cause(error, where="endpoint") if isinstance(error, Exception) else type(error).__name__


def _useless(message: str) -> HttpError:
    return HttpError(502, "answer_mismatch", message)


def _predictions(body: bytes, *, media: str, settings: ApiSettings) -> Any:
    try:
        text = body.decode("utf-8")
        if not settings.features:
            return json.loads(text, parse_constant=_refuse)
        lines = text.strip("\r\n").split("\n")
        if media.startswith("text/csv"):
            return [[_cell(cell) for cell in row] for row in csv.reader(lines)]
        return [json.loads(line, parse_constant=_refuse) for line in lines]
    except (ValueError, RecursionError, csv.Error):
        raise _useless("The model's answer cannot be read.") from None


def _refuse(constant: str) -> Any:
    raise ValueError(constant)


def _cell(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def _version(predictions: Any, *, fallback: str) -> str:
    first = predictions[0] if isinstance(predictions, list) and predictions else predictions
    given = first.get("model_version") if isinstance(first, dict) else None
    return fallback if given is None else str(given)[:_VERSION_CHARACTERS]
