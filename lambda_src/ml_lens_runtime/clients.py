"""The AWS clients of the scorer, made on first use, once per process, timeouts fit the function's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import boto3
from botocore.config import Config

from ml_lens_runtime.normalisation import Parameters

# Worst case of one InvokeEndpoint: 2 x (2 + 15) s and a pause of at most 1 s = 35 s; of any other call:
# 3 x (2 + 4) s and two pauses = 21 s. One of each fits a function timeout of 60 s.
ENDPOINT_CONFIG = Config(connect_timeout=2, read_timeout=15, retries={"mode": "standard", "total_max_attempts": 2})
SERVICE_CONFIG = Config(connect_timeout=2, read_timeout=4, retries={"mode": "standard", "total_max_attempts": 3})

_client: Callable[..., Any] = boto3.client


@dataclass(kw_only=True)
class Clients:
    """Lazy AWS clients; an action that is not configured never loads its service model."""

    region: str | None = None
    parameters: Parameters | None = None  # normalisation of window features, once read

    @cached_property
    def endpoint(self) -> Any:
        """SageMaker runtime."""
        return _client("sagemaker-runtime", region_name=self.region, config=ENDPOINT_CONFIG)

    @cached_property
    def ledger(self) -> Any:
        """DynamoDB."""
        return self._service("dynamodb")

    @cached_property
    def window(self) -> Any:
        """DynamoDB, for the windows of the devices."""
        return self.ledger

    @cached_property
    def artifacts(self) -> Any:
        """S3, for the normalisation parameters."""
        return self._service("s3")

    @cached_property
    def queue(self) -> Any:
        """SQS, for the dead-letter queue and the visibility of the source queue."""
        return self._service("sqs")

    @cached_property
    def log(self) -> Any:
        """Firehose."""
        return self._service("firehose")

    @cached_property
    def notify(self) -> Any:
        """SNS."""
        return self._service("sns")

    @cached_property
    def command(self) -> Any:
        """IoT data plane."""
        return self._service("iot-data")

    @cached_property
    def state_machine(self) -> Any:
        """Step Functions."""
        return self._service("stepfunctions")

    @cached_property
    def function(self) -> Any:
        """Lambda."""
        return self._service("lambda")

    def _service(self, name: str) -> Any:
        return _client(name, region_name=self.region, config=SERVICE_CONFIG)
