"""Each statement that a grant of the lake writes is needed: without any one of them the grantee's work is refused."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.exceptions import ClientError

from cdk_ml_lens.local import LaptopCloud
from tests.local.test_data_lake import As, as_role, outputs

__all__ = ("as_role", "outputs")  # the fixtures
pytestmark = pytest.mark.laptop_cloud
Outputs = dict[str, str]


def read_a_table(s3: Any, glue: Any, outputs: Outputs) -> None:
    raw = {"Bucket": outputs["rawBucket"]}
    s3.get_bucket_location(**raw)
    found = s3.list_objects_v2(**raw, Prefix="telemetry/date=2026-01-01/")["Contents"]
    s3.get_object(**raw, Key=found[0]["Key"])
    glue.get_table(DatabaseName=outputs["rawDatabase"], Name="telemetry")


def write_to_a_table(s3: Any, glue: Any, outputs: Outputs) -> None:
    raw = {"Bucket": outputs["rawBucket"]}
    s3.get_bucket_location(**raw)
    s3.list_multipart_uploads(**raw)
    s3.put_object(**raw, Key="telemetry/date=2026-01-03/c.parquet", Body=b"more")
    glue.get_table(DatabaseName=outputs["rawDatabase"], Name="telemetry")


def publish_a_table(s3: Any, glue: Any, outputs: Outputs) -> None:
    gold = {"Bucket": outputs["goldBucket"]}
    s3.get_bucket_location(**gold)
    s3.put_object(**gold, Key="features/version=3/a.parquet", Body=b"new")
    s3.list_objects_v2(**gold, Prefix="features/version=3/")
    s3.get_object(**gold, Key="features/version=3/a.parquet")
    table = glue.get_table(DatabaseName=outputs["goldDatabase"], Name="features")["Table"]
    new = {"Name": "features", "StorageDescriptor": table["StorageDescriptor"]}
    glue.update_table(DatabaseName=outputs["goldDatabase"], TableInput=new)
    s3.delete_object(**gold, Key="features/version=3/a.parquet")


@pytest.mark.parametrize(
    ("role", "work", "statements"),
    [("TableReader", read_a_table, 5), ("Writer", write_to_a_table, 4), ("Publisher", publish_a_table, 5)],
)
def test_without_any_statement_the_work_is_refused(
    guarded: LaptopCloud,
    as_role: As,
    outputs: Outputs,
    role: str,
    work: Callable[[Any, Any, Outputs], None],
    statements: int,
) -> None:
    clients = as_role(role, "s3"), as_role(role, "glue")
    work(*clients, outputs)
    document = policy_of(guarded, outputs[f"{role}Arn"])[1]
    assert len(document["Statement"]) == statements
    for index, statement in enumerate(document["Statement"]):
        with without(guarded, outputs[f"{role}Arn"], index):
            assert refused(lambda: work(*clients, outputs)), statement["Action"]
    work(*clients, outputs)


def refused(work: Callable[[], None]) -> bool:
    """Tell whether IAM stopped the work."""
    try:
        work()
    except ClientError as error:
        return "AccessDenied" in error.response["Error"]["Code"]
    return False


def policy_of(cloud: LaptopCloud, role_arn: str) -> tuple[str, dict[str, Any]]:
    """Return the name and the document of the one policy of a role."""
    iam, role = cloud.client("iam"), role_arn.split("/")[-1]
    (name,) = iam.list_role_policies(RoleName=role)["PolicyNames"]
    policy: Any = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
    return name, json.loads(policy) if isinstance(policy, str) else policy


@contextmanager
def without(cloud: LaptopCloud, role_arn: str, index: int) -> Iterator[None]:
    """Take one statement from a role's policy, and give it back."""
    name, document = policy_of(cloud, role_arn)
    kept = [statement for place, statement in enumerate(document["Statement"]) if place != index]
    put = cloud.client("iam").put_role_policy
    role = role_arn.split("/")[-1]
    put(RoleName=role, PolicyName=name, PolicyDocument=json.dumps({**document, "Statement": kept}))
    try:
        yield
    finally:
        put(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(document))
