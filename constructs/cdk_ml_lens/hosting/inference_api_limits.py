"""ApiLimits: how much an inference API takes, and how long it waits for the model."""

from __future__ import annotations

from dataclasses import dataclass

from cdk_ml_lens.core.errors import Faults

# Lambda takes an event of 6 MB, in which quotation marks of the body are escaped; so a third is safe.
# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
MOST_BODY_BYTES = 2 * 1024 * 1024
GATEWAY_SECONDS = (
    29  # https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html
)
HANDLER_MARGIN = 3  # connect, check and write the answer


@dataclass(frozen=True, kw_only=True)
class ApiLimits:
    """Rates, sizes and times.

    Parameters
    ----------
    requests_per_second : float
        Steady rate of the stage, and of each API key. Default: 50.
    burst : int
        Requests at once. Default: 100.
    max_body_bytes : int
        Larger bodies are answered 413, in bytes. Default: 65536. At most 2 MiB.
    model_seconds : int
        Time that the model has, in seconds; then the answer is 504. Default: 10. The function has 3 s more, and both
        stay below API Gateway's 29 s.

    Raises
    ------
    PropError
        When a number is out of range.
    """

    requests_per_second: float = 50
    burst: int = 100
    max_body_bytes: int = 65_536
    model_seconds: int = 10

    def __post_init__(self) -> None:
        faults = Faults("API limits")
        faults.within("requests_per_second", self.requests_per_second, 0.1, 10_000, "10,000 is the account's quota")
        faults.within("burst", self.burst, 1, 5_000, "5,000 is the account's quota")
        faults.within("max_body_bytes", self.max_body_bytes, 16, MOST_BODY_BYTES)
        hint = f"API Gateway gives up after {GATEWAY_SECONDS} s"
        faults.within("model_seconds", self.model_seconds, 1, GATEWAY_SECONDS - HANDLER_MARGIN - 1, hint)
        faults.raise_any()
