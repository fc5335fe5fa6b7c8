"""The stage of the fault suite: the flagship, deployed once, and the levers that break and repair it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

from cdk_ml_lens.local.cloud import LaptopCloud

STACK = "IotInference"
FAULTS_FILE = "faults.json"
FUNCTION_SECONDS = 10
VISIBILITY_SECONDS = 15
ATTEMPTS = 4
STEADY_SECONDS = 60.0


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """Requests that the laptop cloud refuses, by service and operation.

    Parameters
    ----------
    service, operation
        Such as ``dynamodb`` and ``TransactWriteItems``; ``*`` is any operation.
    share
        Share of the requests, 0 to 1.
    code, status
        The error. Default: ThrottlingException with 400.
    """

    service: str
    operation: str = "*"
    share: float = 1.0
    code: str = "ThrottlingException"
    status: int = 400


class Stage:
    """The deployed flagship.

    Parameters
    ----------
    cloud, outputs
        Where it runs, and its outputs.
    """

    def __init__(self, cloud: LaptopCloud, outputs: dict[str, str]) -> None:
        self.cloud, self.outputs = cloud, outputs
        found = cloud.client("cloudformation").describe_stack_resources(StackName=STACK)["StackResources"]
        self._resources = found
        self.function = self._find("AWS::Lambda::Function", "ScorerHandler")
        self.queue_url = self._find("AWS::SQS::Queue", "ScoringQueue")
        self._sagemaker = cloud.client("sagemaker")
        self._copies = 0

    def hurry(self) -> None:
        """Shorten the pauses that only cost time here: the function's time-out with its lease, and the queue's."""
        functions, queues = self.cloud.client("lambda"), self.cloud.client("sqs")
        known = functions.get_function_configuration(FunctionName=self.function)
        variables = known["Environment"]["Variables"] | {"MAX_ATTEMPTS": str(ATTEMPTS)}
        functions.update_function_configuration(
            FunctionName=self.function, Timeout=FUNCTION_SECONDS, Environment={"Variables": variables}
        )
        queues.set_queue_attributes(QueueUrl=self.queue_url, Attributes={"VisibilityTimeout": str(VISIBILITY_SECONDS)})

    @contextmanager
    def refusing(self, *refusals: Refusal) -> Iterator[None]:
        """Let the laptop cloud refuse requests while the block runs."""
        path = self.cloud.state_dir / FAULTS_FILE
        partial = path.with_suffix(".part")
        partial.write_text(json.dumps([asdict(refusal) for refusal in refusals]))
        partial.rename(path)
        try:
            yield
        finally:
            path.unlink()

    @contextmanager
    def model_variables(self, variables: Mapping[str, str]) -> Iterator[None]:
        """Serve a copy of the model with other environment variables while the block runs."""
        endpoint = self.outputs["EndpointName"]
        original = self._sagemaker.describe_endpoint(EndpointName=endpoint)["EndpointConfigName"]
        self._update(self._copy_config(original, variables))
        try:
            yield
        finally:
            self._update(original)

    def delete_endpoint(self) -> str:
        """Delete the endpoint and return the name of its configuration."""
        endpoint = self.outputs["EndpointName"]
        config = self._sagemaker.describe_endpoint(EndpointName=endpoint)["EndpointConfigName"]
        self._sagemaker.delete_endpoint(EndpointName=endpoint)
        return str(config)

    def create_endpoint(self, config: str) -> None:
        """Make the endpoint again and wait until it is in service."""
        self._sagemaker.create_endpoint(EndpointName=self.outputs["EndpointName"], EndpointConfigName=config)
        self._steady()

    def kill_models(self) -> int:
        """Kill every model server at once and return how many there were."""
        return _kill(self._children(lambda command: "--model-dir" in command))

    def kill_functions(self) -> int:
        """Kill every worker process of Lambda at once and return how many there were."""
        return _kill(self._children(lambda command: "--model-dir" not in command))

    def _children(self, wanted: Any) -> list[int]:
        """Return the processes that this cloud's server started, and no other."""
        shown = subprocess.run(["ps", "-ax", "-o", "pid=,ppid=,command="], capture_output=True, text=True, check=True)
        rows = (line.split(None, 2) for line in shown.stdout.splitlines())
        return [int(row[0]) for row in rows if len(row) == 3 and int(row[1]) == self.cloud.pid and wanted(row[2])]

    def _find(self, kind: str, text: str) -> str:
        (found,) = [
            str(entry["PhysicalResourceId"])
            for entry in self._resources
            if entry["ResourceType"] == kind and text in entry["LogicalResourceId"]
        ]
        return found

    def _copy_config(self, config: str, variables: Mapping[str, str]) -> str:
        self._copies += 1
        given = self._sagemaker.describe_endpoint_config(EndpointConfigName=config)
        (variant,) = given["ProductionVariants"]
        model = self._sagemaker.describe_model(ModelName=variant["ModelName"].rsplit("/", 1)[-1])
        container = model["PrimaryContainer"]
        container = container | {"Environment": {**container.get("Environment", {}), **variables}}
        name = f"faulty-{self._copies}"
        self._sagemaker.create_model(
            ModelName=name, PrimaryContainer=container, ExecutionRoleArn=model["ExecutionRoleArn"]
        )
        self._sagemaker.create_endpoint_config(
            EndpointConfigName=name, ProductionVariants=[variant | {"ModelName": name}]
        )
        return name

    def _update(self, config: str) -> None:
        self._sagemaker.update_endpoint(EndpointName=self.outputs["EndpointName"], EndpointConfigName=config)
        self._steady()

    def _steady(self) -> None:
        deadline = time.monotonic() + STEADY_SECONDS
        while time.monotonic() < deadline:
            found = self._sagemaker.describe_endpoint(EndpointName=self.outputs["EndpointName"])
            if found["EndpointStatus"] == "InService":
                return
            time.sleep(0.2)
        raise RuntimeError(f"the endpoint is {found['EndpointStatus']} after {STEADY_SECONDS:.0f} s")


def _kill(processes: list[int]) -> int:
    for process in processes:
        os.kill(process, signal.SIGKILL)
    return len(processes)
