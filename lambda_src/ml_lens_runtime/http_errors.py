"""HttpError: a request that gets another answer than a prediction, with its status and short name."""

from __future__ import annotations

from botocore.exceptions import ConnectTimeoutError, ReadTimeoutError

from ml_lens_runtime import aws_errors

RETRY_AFTER_SECONDS = {429: 1, 503: 5}
_THROTTLES = frozenset({"ThrottlingException", "Throttling", "TooManyRequestsException", "RequestLimitExceeded"})


class HttpError(Exception):
    """An answer that is no prediction.

    Parameters
    ----------
    status : int
        HTTP status.
    error : str
        Short fixed name for programs.
    message : str
        One sentence for people; never a value of the request.
    """

    def __init__(self, status: int, error: str, message: str) -> None:
        super().__init__(f"{status} {error}")
        self.status = status
        self.error = error
        self.message = message


def from_model(error: Exception) -> HttpError:
    """Map what InvokeEndpoint raised.

    A missing endpoint is 503, not 502: the caller did nothing wrong, no model answered, and a later call may succeed.
    """
    status = aws_errors.model_status(error)
    if aws_errors.code(error) in _THROTTLES or status == 429:
        return HttpError(429, "throttled", "The model has too many requests.")
    if status is not None:
        return HttpError(502, "model_error", "The model answered with an error.")
    if isinstance(error, ReadTimeoutError):
        return HttpError(504, "model_timeout", "The model did not answer in time.")
    if isinstance(error, ConnectTimeoutError):
        return HttpError(503, "endpoint_unreachable", "The endpoint could not be reached.")
    return HttpError(503, "endpoint_unavailable", "The endpoint is missing or not ready.")
