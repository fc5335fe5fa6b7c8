"""With enforcement on: a request that cannot be read is about everything, and who a user is counts in conditions."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from cdk_ml_lens.local import LaptopCloud
from tests.local.support import policy

pytestmark = pytest.mark.laptop_cloud
ACCOUNT = "us-east-1:000000000000"
ONE: dict[str, tuple[str, str, str, dict[str, Any]]] = {
    "sagemaker": (
        "sagemaker:DescribeEndpoint",
        f"arn:aws:sagemaker:{ACCOUNT}:endpoint/mine",
        "describe_endpoint",
        {"EndpointName": "mine"},
    ),
    "glue": (
        "glue:GetTable",
        f"arn:aws:glue:{ACCOUNT}:table/mine/one",
        "get_table",
        {"DatabaseName": "mine", "Name": "one"},
    ),
    "athena": (
        "athena:GetQueryExecution",
        f"arn:aws:athena:{ACCOUNT}:workgroup/mine",
        "get_query_execution",
        {"QueryExecutionId": "none"},
    ),
    "cloudwatch": (
        "cloudwatch:DescribeAlarms",
        f"arn:aws:cloudwatch:{ACCOUNT}:alarm:mine",
        "describe_alarms",
        {"AlarmNames": ["mine"]},
    ),
}


def keys(cloud: LaptopCloud, name: str, document: dict[str, Any]) -> dict[str, str]:
    """Make a user with a policy and return its credentials as a client takes them."""
    iam = cloud.client("iam")
    iam.create_user(UserName=name)
    iam.put_user_policy(UserName=name, PolicyName="own", PolicyDocument=json.dumps(document))
    made = iam.create_access_key(UserName=name)["AccessKey"]
    return {"aws_access_key_id": made["AccessKeyId"], "aws_secret_access_key": made["SecretAccessKey"]}


def client(cloud: LaptopCloud, service: str, credentials: dict[str, str]) -> Any:
    make: Any = boto3.client
    config = Config(retries={"total_max_attempts": 1})
    return make(service, endpoint_url=cloud.endpoint_url, region_name=cloud.region, config=config, **credentials)


def garbled(request: Any, **_: Any) -> None:
    """Break the body of a request before it is signed."""
    request.data = b'{"'


@pytest.mark.parametrize("service", ONE)
def test_a_right_on_one_resource_does_not_let_an_unreadable_request_through(service: str, guarded: LaptopCloud) -> None:
    action, resource, operation, arguments = ONE[service]
    user = client(guarded, service, keys(guarded, f"reads-{service}", policy((action, resource))))
    user.meta.events.register("before-sign", garbled)
    with pytest.raises(ClientError, match="AccessDenied"):
        getattr(user, operation)(**arguments)


def test_a_condition_on_the_principal_knows_a_user_by_its_own_arn(guarded: LaptopCloud) -> None:
    s3 = guarded.client("s3")
    s3.create_bucket(Bucket="personal")
    condition = {"ArnEquals": {"aws:PrincipalArn": "arn:aws:iam::000000000000:user/owner"}}
    statement = {"Effect": "Allow", "Action": "s3:PutObject", "Resource": "*", "Condition": condition}
    document = {"Version": "2012-10-17", "Statement": [statement]}
    owner, other = (client(guarded, "s3", keys(guarded, name, document)) for name in ("owner", "other"))
    owner.put_object(Bucket="personal", Key="a", Body=b"1")
    with pytest.raises(ClientError, match="AccessDenied"):
        other.put_object(Bucket="personal", Key="a", Body=b"2")
    assert s3.get_object(Bucket="personal", Key="a")["Body"].read() == b"1"
