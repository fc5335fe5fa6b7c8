"""Firehose's role of StreamIngest, with IAM enforced: without any one statement that moves data, data is missing."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from cdk_ml_lens.local import LaptopCloud
from tests.local.conftest import Until
from tests.local.test_stream_ingest import originals, outputs, publish, refused, rows

__all__ = ("outputs",)  # the fixture
pytestmark = pytest.mark.laptop_cloud
# Action, a pattern of its resource, and what is missing without the statement.
NEEDED = [
    ("lambda:InvokeFunction", "function", "rows"),
    ("glue:GetTable", "/telemetry", "rows"),
    ("s3:PutObject", "zoneraw.*/telemetry/", "rows"),
    ("s3:PutObject", "/telemetry_errors/", "refused"),
    ("s3:PutObject", "originals.*/telemetry/", "originals"),
    ("kms:GenerateDataKey", "key/", "originals"),
]


@pytest.mark.parametrize(("action", "resource", "missing"), NEEDED)
def test_without_a_statement_of_its_role_the_stream_delivers_less(
    guarded: LaptopCloud, outputs: dict[str, str], until: Until, action: str, resource: str, missing: str
) -> None:
    def count() -> int:
        found = {
            "rows": lambda: rows(guarded, outputs["RawBucket"]).height,
            "refused": lambda: len(refused(guarded, outputs["RawBucket"])),
            "originals": lambda: len(originals(guarded, outputs["OriginalsBucket"])),
        }
        return found[missing]()

    with without(guarded, action, resource):
        before = count()
        send(guarded)
        time.sleep(4)  # the stream delivers after one second
        assert count() == before
    send(guarded)
    until(lambda: count() > before)


def send(cloud: LaptopCloud) -> None:
    publish(cloud, "good", {"timestamp": "2027-01-15T08:00:00Z"})
    publish(cloud, "bad", "poison")


@contextmanager
def without(cloud: LaptopCloud, action: str, resource: str) -> Iterator[None]:
    """Take the statements with an action on a resource (a pattern) from the policy of the live stream's role."""
    iam = cloud.client("iam")
    (role,) = [item["RoleName"] for item in iam.list_roles()["Roles"] if "IngestLiveRole" in item["RoleName"]]
    (name,) = iam.list_role_policies(RoleName=role)["PolicyNames"]
    policy: Any = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
    document = json.loads(policy) if isinstance(policy, str) else policy
    kept = [statement for statement in document["Statement"] if not concerns(statement, action, resource)]
    assert len(kept) == len(document["Statement"]) - 1
    less = {**document, "Statement": kept}
    iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(less))
    try:
        yield
    finally:
        iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(document))


def concerns(statement: dict[str, Any], action: str, resource: str) -> bool:
    actions, resources = (
        value if isinstance(value, list) else [value] for value in (statement["Action"], statement["Resource"])
    )
    return action in actions and any(re.search(resource, found) for found in resources)
