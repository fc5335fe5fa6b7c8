"""verify_rollout: the deployment fails when the endpoint went back to its old configuration."""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from handlers import verify_rollout
from handlers.verify_rollout import run

ARN = "arn:aws:sagemaker:eu-west-1:111122223333:endpoint/e"


def event(kind: str = "Update") -> dict[str, Any]:
    return {
        "RequestType": kind,
        "ResponseURL": "https://cloudformation.example/answer",
        "StackId": "stack",
        "RequestId": "request",
        "LogicalResourceId": "Check",
        "PhysicalResourceId": "kept",
        "ResourceProperties": {"EndpointName": "e", "EndpointConfigName": "new"},
    }


def answer(given: dict[str, Any], described: dict[str, Any] | None, error: str | None = None) -> dict[str, Any]:
    """Run the handler against a stubbed DescribeEndpoint and return what it sends to CloudFormation."""
    client = boto3.client("sagemaker", region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="x")
    sent: list[tuple[str, bytes]] = []
    with Stubber(client) as stub:
        if described is not None:
            times = {"CreationTime": 0, "LastModifiedTime": 0, "EndpointArn": ARN, "EndpointName": "e"}
            stub.add_response("describe_endpoint", {**times, **described}, {"EndpointName": "e"})
        if error is not None:
            stub.add_client_error("describe_endpoint", error)
        run(given, sagemaker=client, respond=lambda url, body: sent.append((url, body)), log_stream="stream")
        stub.assert_no_pending_responses()
    ((url, body),) = sent
    assert url == "https://cloudformation.example/answer"
    found: dict[str, Any] = json.loads(body)
    assert (found["StackId"], found["RequestId"], found["PhysicalResourceId"]) == ("stack", "request", "kept")
    return found


def test_new_configuration_in_service_is_verified() -> None:
    assert answer(event(), {"EndpointStatus": "InService", "EndpointConfigName": "new"})["Status"] == "SUCCESS"


def test_old_configuration_in_service_fails_the_deployment() -> None:
    found = answer(event(), {"EndpointStatus": "InService", "EndpointConfigName": "old"})
    assert found["Status"] == "FAILED"
    assert "InService on the old configuration old" in found["Reason"]


@pytest.mark.parametrize("status", ["Failed", "Updating", "RollingBack", "UpdateRollbackFailed"])
def test_endpoint_out_of_service_fails_with_its_reason(status: str) -> None:
    found = answer(event(), {"EndpointStatus": status, "EndpointConfigName": "new", "FailureReason": "no capacity"})
    assert found["Status"] == "FAILED"
    assert status in found["Reason"]
    assert "no capacity" in found["Reason"]


def test_deletion_asks_nothing() -> None:
    assert answer(event("Delete"), None)["Status"] == "SUCCESS"


def test_unexpected_error_is_answered_too() -> None:
    found = answer(event(), None, error="AccessDeniedException")
    assert found["Status"] == "FAILED"
    assert "stream" in found["Reason"]


def test_same_event_twice_gives_the_same_answer() -> None:
    described = {"EndpointStatus": "InService", "EndpointConfigName": "new"}
    assert answer(event(), described) == answer(event(), described)


def test_the_answer_is_put_without_a_content_type_as_the_presigned_url_was_signed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With any other Content-Type S3 refuses the signature, and the deployment waits for an hour."""
    heard: list[tuple[str, str | None, bytes]] = []

    class FakePresignedUrl(BaseHTTPRequestHandler):
        """Takes a PUT and remembers it; checks no signature."""

        def do_PUT(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            heard.append((self.path, self.headers["Content-Type"], body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *arguments: Any) -> None:
            """Say nothing."""

    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    verify_rollout._sagemaker.cache_clear()
    with HTTPServer(("127.0.0.1", 0), FakePresignedUrl) as server:
        taking = Thread(target=server.handle_request)
        taking.start()
        url = f"http://127.0.0.1:{server.server_port}/answer?X-Amz-Signature=s"
        verify_rollout.handler({**event("Delete"), "ResponseURL": url}, SimpleNamespace(log_stream_name="stream"))
        taking.join(5)
    verify_rollout._sagemaker.cache_clear()
    ((path, kind, body),) = heard
    assert (path, kind) == ("/answer?X-Amz-Signature=s", "")
    assert json.loads(body)["Status"] == "SUCCESS"
