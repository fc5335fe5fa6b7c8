"""Answers a request of an inference API: check it, ask the model once, say who answered. It changes nothing."""

from __future__ import annotations

import functools
import logging
import os
import time
from typing import Any

from ml_lens_runtime import http_model, http_request, http_response
from ml_lens_runtime.http_env import ApiSettings
from ml_lens_runtime.http_errors import HttpError

logger = logging.getLogger(__name__)
logger.setLevel(logging.INFO)


@functools.cache
def _process() -> tuple[ApiSettings, Any]:
    """Parse the environment and make the client once per process."""
    settings = ApiSettings.parse(os.environ)
    return settings, http_model.client(settings)


def handler(event: Any, context: Any) -> dict[str, Any]:
    """Lambda's entry point."""
    settings, runtime = _process()
    request_id = http_request.request_id(event, fallback=context.aws_request_id)
    return run(env=settings, event=event, runtime=runtime, request_id=request_id)


def run(*, env: ApiSettings, event: Any, runtime: Any, request_id: str) -> dict[str, Any]:
    """Answer one event.

    Parameters
    ----------
    env : ApiSettings
        The parsed environment.
    event : Any
        An event of API Gateway's Lambda proxy integration, from the gateway or by a direct invocation.
    runtime : Any
        SageMaker runtime client.
    request_id : str
        Id of the request; the model's captured traffic carries it as inference id.

    Returns
    -------
    dict
        The proxy integration's response; never an exception.
    """
    begun = time.perf_counter()
    try:
        request = http_request.read(event, settings=env)
        answer = http_model.invoke(request, settings=env, runtime=runtime, request_id=request_id)
    except HttpError as error:
        _log(error.status, error.error, request_id, begun, cause=error.__cause__)
        return http_response.failure(error, request_id=request_id)
    except Exception as error:  # a bug of ours; its text may quote the request
        _log(500, "internal_error", request_id, begun, cause=error)
        failed = HttpError(500, "internal_error", "The request could not be handled.")
        return http_response.failure(failed, request_id=request_id)
    _log(200, "", request_id, begun, variant=answer.variant, model_version=answer.model_version)
    return http_response.prediction(answer, request_id=request_id)


def _log(
    status: int, error: str, request_id: str, begun: float, *, cause: BaseException | None = None, **more: str
) -> None:
    """Log one line without a value of the request or of the answer."""
    fields: dict[str, Any] = {"request_id": request_id, "status": status, "error": error, **more}
    fields["milliseconds"] = round((time.perf_counter() - begun) * 1000, 3)
    if cause is not None:
        fields["cause"] = http_model.cause(cause)
    level = logging.INFO if status < 500 else logging.ERROR
    logger.log(level, "request answered", extra=fields)
