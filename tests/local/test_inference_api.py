"""InferenceApi on a laptop cloud that enforces IAM: each mapped status, from the gateway and from the handler."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import aws_cdk as cdk
import pytest

from cdk_ml_lens.local import LaptopCloud, ModelRuntime
from tests.local import api_support as support
from tests.local.api_support import Client

pytestmark = pytest.mark.laptop_cloud
GOOD = json.dumps({"instances": [{"a": 1, "b": 2}, {"a": 3, "b": 4, "note": "ignored"}]})
REFUSED_BY_MODEL = json.dumps({"instances": [{"a": 13, "b": 0}]})
TOO_LARGE = json.dumps({"instances": [{"a": 1, "b": 2, "note": "x" * 500}]})


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LaptopCloud]:
    """A cloud with IAM, and with the model server that has fault knobs."""
    with LaptopCloud.start(auth=True, state_dir=tmp_path_factory.mktemp("cloud"), models=ModelRuntime()) as started:
        yield started


@pytest.fixture(scope="module")
def client(cloud: LaptopCloud, tmp_path_factory: pytest.TempPathFactory) -> Client:
    support.upload_model(cloud)
    folder = tmp_path_factory.mktemp("assembly")
    app = cdk.App(outdir=str(folder))
    support.build(app)
    app.synth()
    client = Client(cloud=cloud, outputs=dict(cloud.deploy(Path(folder), "Apis").outputs))
    for name in ("good", "slow", "missing", "broken"):
        client.invoke(name, "{}")  # a cold start is no part of what is measured
    return client


def test_prediction_says_which_variant_and_version_answered(client: Client) -> None:
    answer = client.post("good", GOOD)
    assert answer.status == 200
    assert [prediction["score"] for prediction in answer.body["predictions"]] == [3.0, 7.0]
    assert (answer.body["variant"], answer.body["model_version"]) == ("only", "tiny-1")
    assert answer.headers["X-Model-Variant"] == "only"
    assert answer.body["request_id"] == answer.headers["X-Request-Id"] != ""


def test_stranger_is_refused_in_the_apis_own_form(client: Client) -> None:
    answer = client.post("good", GOOD, signed=False)
    assert answer.status == 403
    assert answer.body["error"] == "refused"
    assert answer.body["request_id"] == answer.headers["X-Request-Id"]


SCHEMA_VIOLATIONS = [
    '{"instances": []}',
    '{"instances": [{"a": 1}]}',
    '{"instances": [{"a": "1", "b": 2}]}',
    '{"instances": [{"a": 101, "b": 2}]}',
    '{"instances": [{}, {}, {}, {}]}',
    "[]",
    "no json",
]


@pytest.mark.parametrize("body", SCHEMA_VIOLATIONS)
def test_schema_violation_is_a_400_of_the_gateway_and_again_of_the_handler(client: Client, body: str) -> None:
    by_gateway, by_handler = client.post("good", body), client.invoke("good", body)
    assert (by_gateway.status, by_handler.status) == (400, 400)
    assert by_gateway.body["error"] == "schema_violation"
    assert by_gateway.body["message"].strip() == "Invalid request body"  # the gateway's sentence: it never got further
    assert by_handler.body["error"] in ("schema_violation", "not_json")
    assert by_handler.body["request_id"] == "me"


def test_body_over_the_limit_is_a_413(client: Client) -> None:
    for answer in (client.post("good", TOO_LARGE), client.invoke("good", TOO_LARGE)):
        assert (answer.status, answer.body["error"]) == (413, "body_too_large")


def test_other_content_type_is_a_415_of_the_handler(client: Client) -> None:
    answer = client.post("good", GOOD, Content_Type="text/csv")
    assert (answer.status, answer.body["error"]) == (415, "unsupported_media_type")


def test_missing_endpoint_is_a_503_that_says_when_to_come_again(client: Client) -> None:
    answer = client.post("missing", GOOD)
    assert (answer.status, answer.body["error"]) == (503, "endpoint_unavailable")
    assert answer.headers["Retry-After"] == "5"


def test_model_that_is_too_slow_is_a_504_in_time(client: Client) -> None:
    begun = time.monotonic()
    answer = client.post("slow", GOOD)
    assert (answer.status, answer.body["error"]) == (504, "model_timeout")
    assert time.monotonic() - begun < 3  # the model takes 4 s and has 1 s


def test_failing_model_is_a_502_and_keeps_its_words_to_itself(client: Client) -> None:
    for answer in (client.post("broken", GOOD), client.post("good", REFUSED_BY_MODEL)):
        assert (answer.status, answer.body["error"]) == (502, "model_error")
        assert "secret" not in json.dumps([answer.body, answer.headers])
        assert "fault" not in json.dumps(answer.body)


def test_key_is_needed_and_its_plan_throttles_with_429(client: Client) -> None:
    keys = client.cloud.client("apigateway").get_api_keys(includeValues=True)["items"]
    (value,) = [item["value"] for item in keys]
    assert client.post("keyed", GOOD, signed=False).status == 403
    answers = [client.post("keyed", GOOD, signed=False, x_api_key=value) for _ in range(6)]
    statuses = [answer.status for answer in answers]
    assert statuses[0] == 200
    assert set(statuses) == {200, 429}
    refused = answers[statuses.index(429)]
    assert (refused.body["error"], refused.headers["Retry-After"]) == ("throttled", "1")


def test_network_reaches_the_runtime_by_a_private_way_and_nothing_else(client: Client) -> None:
    ec2 = client.cloud.client("ec2")
    (way,) = ec2.describe_vpc_endpoints()["VpcEndpoints"]
    assert (way["ServiceName"], len(way["SubnetIds"])) == ("com.amazonaws.us-east-1.sagemaker.runtime", 2)
    (flow_log,) = ec2.describe_flow_logs()["FlowLogs"]
    assert (flow_log["ResourceId"], flow_log["TrafficType"]) == (way["VpcId"], "ALL")
    tables = ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [way["VpcId"]]}])["RouteTables"]
    assert len(tables) >= 2
    assert {route.get("GatewayId") for table in tables for route in table["Routes"]} == {"local"}


def test_function_without_its_one_right_answers_503(client: Client) -> None:
    """Last: what it takes away is not given back."""
    iam = client.cloud.client("iam")
    role = client.cloud.client("lambda").get_function(FunctionName=client.outputs["brokenFunction"])
    name = role["Configuration"]["Role"].split("/")[-1]
    policies = {policy: iam.get_role_policy(RoleName=name, PolicyName=policy) for policy in
                iam.list_role_policies(RoleName=name)["PolicyNames"]}  # fmt: skip
    (policy,) = [
        key for key, value in policies.items() if "sagemaker:InvokeEndpoint" in json.dumps(value["PolicyDocument"])
    ]
    document = policies[policy]["PolicyDocument"]
    kept = [part for part in document["Statement"] if part["Action"] != "sagemaker:InvokeEndpoint"]
    assert client.invoke("broken", GOOD).status == 502
    iam.put_role_policy(RoleName=name, PolicyName=policy, PolicyDocument=json.dumps({**document, "Statement": kept}))
    assert client.invoke("broken", GOOD).status == 503
