"""Steady requests to an endpoint, without retries; remembers what each one met."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from dataclasses import dataclass
from types import TracebackType
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from cdk_ml_lens.local.cloud import LaptopCloud

ROW = "72.0,2.1,8.0,1500.0"
ANSWER_SECONDS = 10
UNANSWERED = "unanswered"
MODEL_ERROR = "ModelError"


@dataclass(frozen=True, kw_only=True)
class Met:
    """What one request met: a model version, the model's own error, or no answer; and by which variant."""

    at: float
    outcome: str
    variant: str | None = None


class Traffic:
    """Asks in threads until it is left.

    Parameters
    ----------
    cloud
        Where the endpoint is.
    endpoint
        Its name.
    callers, pause
        Threads, and the seconds that each waits between two requests.
    """

    def __init__(self, cloud: LaptopCloud, endpoint: str, *, callers: int = 3, pause: float = 0.02) -> None:
        self.met: list[Met] = []
        self._client, self._endpoint, self._pause = runtime(cloud), endpoint, pause
        self._ended = threading.Event()
        self._threads = [threading.Thread(target=self._ask_on, daemon=True) for _ in range(callers)]

    def __enter__(self) -> Traffic:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join(2 * ANSWER_SECONDS)

    def counted(self, *, since: float = 0.0, until: float = float("inf")) -> Counter[str]:
        """Return outcomes of the requests in a span of ``time.monotonic``."""
        return Counter(met.outcome for met in list(self.met) if since <= met.at <= until)

    def _ask_on(self) -> None:
        while not self._ended.wait(self._pause):
            self.met.append(ask(self._client, self._endpoint))


def runtime(cloud: LaptopCloud) -> Any:
    """Return a client that asks once: a retry would hide what the caller of a bad version sees."""
    client: Any = boto3.client
    config = Config(retries={"total_max_attempts": 1}, read_timeout=ANSWER_SECONDS, max_pool_connections=8)
    return client(
        "sagemaker-runtime",
        endpoint_url=cloud.endpoint_url,
        region_name=cloud.region,
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=config,
    )


def ask(client: Any, endpoint: str) -> Met:
    """Send one request and return what it met."""
    at = time.monotonic()
    try:
        answer = client.invoke_endpoint(
            EndpointName=endpoint, ContentType="text/csv", Accept="application/jsonlines", Body=ROW
        )
        line = json.loads(answer["Body"].read())
    except ClientError as error:
        refused = error.response["Error"]["Code"]
        return Met(at=at, outcome=MODEL_ERROR if refused == MODEL_ERROR else UNANSWERED)
    except (BotoCoreError, OSError, ValueError):
        return Met(at=at, outcome=UNANSWERED)
    return Met(at=at, outcome=str(line["model_version"]), variant=answer["InvokedProductionVariant"])
