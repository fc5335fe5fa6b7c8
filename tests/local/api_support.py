"""A stack with three endpoints and the inference APIs before them, and a client that signs."""

from __future__ import annotations

import io
import json
import tarfile
import urllib.error
import urllib.request
from dataclasses import dataclass, replace
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_s3 as s3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from cdk_ml_lens import (
    ApiAccess,
    ApiLimits,
    Feature,
    InferenceApi,
    InferenceContract,
    IsolatedNetwork,
    ModelArtifact,
    ModelEndpoint,
    ModelSource,
    Variant,
)
from cdk_ml_lens.local import LaptopCloud

PROGRAM = """
import json
class Refused(Exception):
    code = 400
def model_fn(model_dir): return model_dir
def input_fn(body, content_type): return [[float(x) for x in row.split(",")] for row in body.decode().splitlines()]
def predict_fn(rows, model):
    if rows[0][0] == 13:
        raise Refused("secret of the model")
    return [{"score": sum(row), "model_version": "tiny-1"} for row in rows]
def output_fn(answers, accept): return "\\n".join(map(json.dumps, answers)), "application/jsonlines"
"""
CONTRACT = InferenceContract.of_features([Feature(name="a", maximum=100), Feature(name="b")], max_instances=3)
# What stands behind each API: a good model, one that is slower than its API waits, one that fails, none.
MODELS: dict[str, dict[str, str]] = {
    "good": {},
    "slow": {"ML_LENS_FAULT_LATENCY_MS": "4000"},
    "broken": {"ML_LENS_FAULT_ERROR_RATE": "1"},
}


def upload_model(cloud: LaptopCloud) -> None:
    """Put the artifact of all models into the bucket ``api-models``."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as bundle:
        entry = tarfile.TarInfo("code/inference.py")
        entry.size = len(PROGRAM)
        bundle.addfile(entry, io.BytesIO(PROGRAM.encode()))
    cloud.client("s3").create_bucket(Bucket="api-models")
    cloud.client("s3").put_object(Bucket="api-models", Key="model.tar.gz", Body=packed.getvalue())


def build(app: cdk.App) -> cdk.Stack:
    """Build the stack; outputs are named after the endpoint behind the API."""
    stack = cdk.Stack(app, "Apis")
    network = IsolatedNetwork(stack, "Network")
    bucket = s3.Bucket.from_bucket_name(stack, "Models", "api-models")
    artifact = ModelArtifact.from_bucket(bucket, "model.tar.gz")
    limits = ApiLimits(max_body_bytes=500, model_seconds=1)
    for name in (*MODELS, "missing"):
        if name in MODELS:
            source = ModelSource.sklearn(artifact)
            model = replace(source, environment={**source.environment, **MODELS[name]})
            variants = [Variant(name="only", model=model)]
            endpoint: Any = ModelEndpoint(stack, name, endpoint_name=name, variants=variants, capture=None)
        else:
            endpoint = ModelEndpoint.from_endpoint_name(stack, name)
        api = InferenceApi(stack, f"{name}Api", endpoint=endpoint, contract=CONTRACT, network=network, limits=limits)
        _outputs(stack, name, api)
    keyed = InferenceApi(
        stack,
        "keyedApi",
        endpoint=ModelEndpoint.from_endpoint_name(stack, "good"),
        contract=CONTRACT,
        network=network,
        access=ApiAccess.api_key(clients=["shop"]),
        limits=ApiLimits(requests_per_second=0.1, burst=2),
    )
    _outputs(stack, "keyed", keyed)
    return stack


def _outputs(stack: cdk.Stack, name: str, api: InferenceApi) -> None:
    cdk.CfnOutput(stack, f"{name}Id", value=api.api.rest_api_id)
    cdk.CfnOutput(stack, f"{name}Function", value=api.function.function_name)


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What came back over HTTP or from the function."""

    status: int
    headers: dict[str, str]
    body: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Client:
    """Calls the APIs through the gateway, signed or not, and their functions directly."""

    cloud: LaptopCloud
    outputs: dict[str, str]

    def post(self, name: str, body: str, *, signed: bool = True, **headers: str) -> Reply:
        """POST to an API."""
        url = f"{self.cloud.endpoint_url}/restapis/{self.outputs[f'{name}Id']}/v1/_user_request_/predictions"
        sent = {"Content-Type": "application/json", **{key.replace("_", "-"): value for key, value in headers.items()}}
        if signed:
            request = AWSRequest(method="POST", url=url, data=body.encode(), headers=sent)
            SigV4Auth(Credentials("test", "test"), "execute-api", self.cloud.region).add_auth(request)
            sent = dict(request.headers.items())
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            answer = opener.open(urllib.request.Request(url, data=body.encode(), headers=sent), timeout=60)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            return Reply(status=answer.status, headers=dict(answer.headers), body=json.loads(answer.read()))

    def invoke(self, name: str, body: str) -> Reply:
        """Invoke an API's function with a proxy event, past the gateway."""
        event = {"headers": {"content-type": "application/json"}, "body": body, "requestContext": {"requestId": "me"}}
        answer = self.cloud.client("lambda").invoke(
            FunctionName=self.outputs[f"{name}Function"], Payload=json.dumps(event)
        )
        made = json.loads(answer["Payload"].read())
        return Reply(status=made["statusCode"], headers=made["headers"], body=json.loads(made["body"]))
