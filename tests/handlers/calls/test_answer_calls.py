"""answer_request on moto: a throttle is 429 and never tried again by the API, everything else is named."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from moto.sagemakerruntime.models import sagemakerruntime_backends

from handlers.answer_request import run
from ml_lens_runtime import http_model
from tests.calls.trouble import trouble
from tests.handlers.api_support import SETTINGS, event, instance
from tests.handlers.calls.cases import account

REGION = "us-east-1"
OPERATION = ("sagemaker-runtime", "InvokeEndpoint")


@pytest.fixture
def runtime() -> Iterator[Any]:
    with account(REGION):
        line = json.dumps({"score": 1.5, "model_version": "v7"})
        queue = sagemakerruntime_backends["123456789012"][REGION].results_queue
        queue.append((line, "application/jsonlines", "blue", ""))
        yield http_model.client(SETTINGS)


def asked(runtime: Any) -> int:
    given = event({"instances": [instance()]})
    return int(run(env=replace(SETTINGS), event=given, runtime=runtime, request_id="req-1")["statusCode"])


def test_a_model_on_moto_answers(runtime: Any) -> None:
    assert asked(runtime) == 200


@pytest.mark.parametrize(
    ("code", "status"),
    [("ThrottlingException", 429), ("AccessDeniedException", 503), ("ValidationError", 503), ("InternalFailure", 503)],
)
def test_an_error_is_answered_after_one_request(code: str, status: int, runtime: Any) -> None:
    with trouble(*OPERATION, code, result=f"answered {status}") as met:
        assert asked(runtime) == status
    assert met.requests == 1


@pytest.mark.parametrize(("own", "status"), [(400, 502), (429, 429), (500, 502)])
def test_a_models_own_error_is_answered(own: int, status: int, runtime: Any) -> None:
    more = {"OriginalStatusCode": own, "OriginalMessage": "no"}
    with trouble(*OPERATION, "ModelError", result=f"answered {status}", more=more) as met:
        assert asked(runtime) == status
    assert met.requests == 1
