"""The rules that refuse requests: which requests they hit, and what the caller sees."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from cdk_ml_lens.local import LaptopCloud
from cdk_ml_lens.local.faults.stage import FAULTS_FILE
from tests.local.support import endpoint_resources


@pytest.mark.parametrize(
    ("service", "operation", "code", "call"),
    [
        ("s3", "PutObject", "AccessDenied", lambda client: client.put_object(Bucket="refused", Key="k", Body=b"")),
        ("sqs", "ListQueues", "RequestThrottled", lambda client: client.list_queues()),
        ("dynamodb", "*", "ThrottlingException", lambda client: client.list_tables()),
    ],
)
def test_a_rule_refuses_its_operation_until_the_file_is_gone(
    laptop_cloud: LaptopCloud, service: str, operation: str, code: str, call: Callable[[Any], Any]
) -> None:
    laptop_cloud.client("s3").create_bucket(Bucket="refused")
    path = laptop_cloud.state_dir / FAULTS_FILE
    path.write_text(json.dumps([{"service": service, "operation": operation, "code": code, "status": 400}]))
    try:
        with pytest.raises(ClientError) as refused:
            call(laptop_cloud.client(service))
        assert refused.value.response["Error"]["Code"] == code
        assert laptop_cloud.client("sts").get_caller_identity()["Account"] == laptop_cloud.account
    finally:
        path.unlink()

    assert call(laptop_cloud.client(service))["ResponseMetadata"]["HTTPStatusCode"] == 200


def test_a_model_server_that_was_killed_is_started_anew(
    laptop_cloud: LaptopCloud, deploy_template: Any, model_artifact: Callable[..., str], until: Any
) -> None:
    deploy_template("Mortal", endpoint_resources("mortal", model_artifact("mortal", name="m")))
    runtime = laptop_cloud.client("sagemaker-runtime")

    def answered() -> bool:
        try:
            runtime.invoke_endpoint(EndpointName="mortal", ContentType="text/csv", Body="1")
        except ClientError:
            return False
        return True

    until(answered)
    for server in _servers(laptop_cloud):
        os.kill(server, signal.SIGKILL)

    until(answered)


def _servers(cloud: LaptopCloud) -> list[int]:
    shown = subprocess.run(["ps", "-ax", "-o", "pid=,ppid=,command="], capture_output=True, text=True, check=True)
    rows = [line.split(None, 2) for line in shown.stdout.splitlines()]
    return [int(row[0]) for row in rows if int(row[1]) == cloud.pid and "models/Mortal" in row[2]]
