"""Lambda functions: run on the user's container, declared and refused with a reason without Docker."""

from __future__ import annotations

import io
import json
import uuid
import zipfile
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.localstack.engine import Emulator

CODE = "def handler(event, context):\n    return {'doubled': event['value'] * 2}\n"


@pytest.fixture
def function(emulator: Emulator) -> str:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as bundle:
        bundle.writestr("index.py", CODE)
    client, name = emulator.client("lambda"), f"test-{uuid.uuid4().hex[:8]}"
    client.create_function(
        FunctionName=name,
        Runtime="python3.13",
        Handler="index.handler",
        Role=f"arn:aws:iam::{emulator.account}:role/any",
        Code={"ZipFile": archive.getvalue()},
    )
    client.get_waiter("function_active_v2").wait(FunctionName=name)
    return name


def invoked(emulator: Emulator, function: str) -> Any:
    answer = emulator.client("lambda").invoke(FunctionName=function, Payload=json.dumps({"value": 21}))
    return json.loads(answer["Payload"].read())


def test_a_function_runs_on_a_container(emulator: Emulator, function: str) -> None:
    if not emulator.runs_functions:
        pytest.skip("running a function takes Docker: set LOCALSTACK_ENDPOINT to your container")
    assert invoked(emulator, function) == {"doubled": 42}


def test_without_docker_an_invocation_is_refused_with_the_reason(emulator: Emulator, function: str) -> None:
    if emulator.runs_functions:
        pytest.skip("this LocalStack runs functions")
    with pytest.raises(ClientError, match="declared only: running it takes Docker"):
        invoked(emulator, function)
