"""What a failed AWS call is called in logs and dead letters, and whether the model refused the request."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

AWS_ERRORS = (ClientError, BotoCoreError)
# codes that pass by themselves; everything else (AccessDenied, ValidationError, …) needs somebody to act
TRANSIENT = frozenset(
    {
        "ThrottlingException",
        "Throttling",
        "TooManyRequestsException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "ServiceUnavailable",
        "ServiceUnavailableException",
        "InternalFailure",
        "InternalServerException",
        "InternalServerError",
        "InternalDependencyException",
        "ModelNotReadyException",
        "TransactionConflict",
        "ConnectTimeoutError",
        "ReadTimeoutError",
        "EndpointConnectionError",
        "ConnectionClosedError",
    }
)
_BUSY_STATUS = (408, 429)  # a model that says so asks for patience, it does not refuse the reading


def code(error: Exception) -> str:
    """Return the AWS error code, or the class name of an error that never reached AWS."""
    if isinstance(error, ClientError):
        return str(error.response.get("Error", {}).get("Code", "Unknown"))
    return type(error).__name__


def cause(error: Exception, *, where: str) -> str:
    """Return `where: code`, with the model's own status for a ModelError."""
    status = model_status(error)
    return f"{where}: {code(error)}" if status is None else f"{where}: ModelError {status}"


def is_transient(error: Exception) -> bool:
    """Tell whether waiting alone can help."""
    status = model_status(error)
    return code(error) in TRANSIENT or (status is not None and (status >= 500 or status in _BUSY_STATUS))


def refused_by_model(error: Exception) -> bool:
    """Tell whether the model answered 4xx, so that a reading of the request may be at fault."""
    status = model_status(error)
    return status is not None and 400 <= status < 500 and status not in _BUSY_STATUS


def model_status(error: Exception) -> int | None:
    """Return the model's own HTTP status of a ModelError, None for any other error."""
    if not isinstance(error, ClientError) or code(error) != "ModelError":
        return None
    response: dict[str, Any] = dict(error.response)
    status = response.get("OriginalStatusCode", 500)
    return status if isinstance(status, int) else 500
