"""The handlers before and behind an endpoint: the inference API's, and the check of a rollout."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from queue import SimpleQueue
from typing import Any

import pytest

from cdk_ml_lens.local import LaptopCloud
from tests.local.iam_proof.conftest import Proven, Stage
from tests.local.iam_proof.harness import Proof
from tests.local.iam_proof.support import invoked, logging, physical

pytestmark = pytest.mark.laptop_cloud
ANSWER_SECONDS = 10


@pytest.mark.usefixtures("endpoint")
def test_answer_request_needs_its_right_to_the_endpoint(guarded: LaptopCloud, stage: Stage, proven: Proven) -> None:
    stage("examples/inference_api.py")
    function = physical(guarded, "InferenceApi", "ApiHandlerFunction")
    body = json.dumps({"instances": [{"temperature": 1, "vibration": 2}]})
    event = {"headers": {"content-type": "application/json"}, "body": body, "requestContext": {"requestId": "me"}}

    def answer() -> None:
        reply = invoked(guarded, function, event)
        assert reply["statusCode"] == 200, reply

    proven(
        Proof(
            role="ApiHandlerRole",
            setting="examples/inference_api.py",
            stack="InferenceApi",
            work=answer,
            works=logging(guarded, function, event),
        )
    )


class FakeCloudFormation:
    """Takes what a custom resource answers; it checks nothing."""

    def __init__(self) -> None:
        answers = self.answers = SimpleQueue[dict[str, Any]]()

        class Taking(BaseHTTPRequestHandler):
            def log_message(self, *arguments: object) -> None:
                pass

            def do_PUT(self) -> None:
                answers.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(200)
                self.end_headers()

        self.server = HTTPServer(("127.0.0.1", 0), Taking)


@pytest.fixture
def cloudformation() -> Iterator[FakeCloudFormation]:
    fake = FakeCloudFormation()
    threading.Thread(target=fake.server.serve_forever, daemon=True).start()
    yield fake
    fake.server.shutdown()


def test_verify_rollout_needs_its_right_to_the_endpoint(
    guarded: LaptopCloud, stage: Stage, model: dict[str, str], cloudformation: FakeCloudFormation, proven: Proven
) -> None:
    stage("examples/rollout.py", **model)
    function = physical(guarded, "Rollout", "EndpointVerifiedCheckerFunction")
    name = physical(guarded, "Rollout", "Endpoint").split("/")[-1]
    config = guarded.client("sagemaker").describe_endpoint(EndpointName=name)["EndpointConfigName"]
    event = {
        "RequestType": "Create",
        "ResponseURL": f"http://127.0.0.1:{cloudformation.server.server_port}/",
        "ResourceProperties": {"EndpointName": name, "EndpointConfigName": config},
        **dict.fromkeys(("StackId", "RequestId", "LogicalResourceId"), "proof"),
    }

    def verify() -> None:
        invoked(guarded, function, event)
        answer = cloudformation.answers.get(timeout=ANSWER_SECONDS)
        assert answer["Status"] == "SUCCESS", answer

    proven(
        Proof(
            role="EndpointVerifiedCheckerRole",
            setting="examples/rollout.py",
            stack="Rollout",
            work=verify,
            works=logging(guarded, function, event),
        )
    )
