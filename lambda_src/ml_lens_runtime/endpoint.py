"""One InvokeEndpoint call: rows in, one score per row out, every failure as a named error."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass

from ml_lens_runtime import aws_errors, codec
from ml_lens_runtime.clients import Clients
from ml_lens_runtime.env import Settings
from ml_lens_runtime.errors import ModelRejectedError, RetryLaterError
from ml_lens_runtime.metrics import Meter

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """Scores by position, the variant that answered and the latency of the call in milliseconds."""

    scores: list[codec.Score]
    variant: str
    latency_ms: float


def invoke(rows: Sequence[Sequence[float]], *, settings: Settings, clients: Clients, meter: Meter) -> Answer:
    """Score rows with one call.

    Raises
    ------
    AnswerMismatchError, ModelRejectedError
        One of the rows may be at fault.
    RetryLaterError
        Throttling, 5xx, timeout, missing permission or endpoint: no row is at fault.
    """
    begun = time.perf_counter()
    try:
        response = clients.endpoint.invoke_endpoint(
            EndpointName=settings.endpoint_name,
            ContentType=settings.content_type,
            Accept=settings.content_type,
            Body=codec.encode(rows, content_type=settings.content_type),
        )
        body = response["Body"].read()
    except aws_errors.AWS_ERRORS as error:
        raise _named(error) from error
    finally:
        latency = (time.perf_counter() - begun) * 1000
        meter.called(latency)
    answered = response.get("ContentType", "").split(";")[0].strip().lower()
    content_type = answered if answered == "text/csv" or "json" in answered else settings.content_type
    scores = codec.decode(body, content_type=content_type, count=len(rows), settings=settings)
    variant = response.get("InvokedProductionVariant", "")
    return Answer(scores=scores, variant=variant, latency_ms=round(latency, 3))


def _named(error: Exception) -> ModelRejectedError | RetryLaterError:
    cause = aws_errors.cause(error, where="endpoint")
    if aws_errors.refused_by_model(error):
        return ModelRejectedError(cause)
    level = logging.WARNING if aws_errors.is_transient(error) else logging.ERROR
    logger.log(level, "endpoint call failed", extra={"error_code": aws_errors.code(error), "cause": cause})
    return RetryLaterError(cause)
