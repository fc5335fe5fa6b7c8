"""Lambda functions made by API calls, for the tests of the laptop cloud that need no stack."""

from __future__ import annotations

import io
import json
import textwrap
import zipfile
from typing import Any

from cdk_ml_lens.local import LaptopCloud
from tests.local.support import policy

ACCOUNT = "000000000000"
TELLING = """
    import boto3, json, os
    def handler(event, context):
        boto3.client("sqs").send_message(QueueUrl=os.environ["SEEN"], MessageBody=json.dumps(event))
"""
FAILING = """
    def handler(event, context):
        raise ValueError("bad reading")
"""


def function(cloud: LaptopCloud, name: str, code: str, *, role: str = "any", **more: Any) -> str:
    """Make a function with ``code`` as its index.py and return its ARN; capitals are members, others variables."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("index.py", textwrap.dedent(code))
    members = {key: value for key, value in more.items() if key[0].isupper()}
    variables = {key.upper(): value for key, value in more.items() if not key[0].isupper()}
    made = cloud.client("lambda").create_function(
        FunctionName=name, Runtime="python3.13", Handler="index.handler", Timeout=20,
        Role=f"arn:aws:iam::{ACCOUNT}:role/{role}", Code={"ZipFile": buffer.getvalue()},
        Environment={"Variables": variables}, **members,
    )  # fmt: skip
    return str(made["FunctionArn"])


def queue(cloud: LaptopCloud, name: str, **attributes: str) -> tuple[str, str]:
    """Make a queue and return its URL and its ARN."""
    url = cloud.client("sqs").create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    return url, f"arn:aws:sqs:{cloud.region}:{ACCOUNT}:{name}"


def role(cloud: LaptopCloud, name: str, *allowed: tuple[Any, Any]) -> str:
    """Make a role for functions that may do what is listed and return its name."""
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    iam = cloud.client("iam")
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}))
    if allowed:
        iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=json.dumps(policy(*allowed)))
    return name
