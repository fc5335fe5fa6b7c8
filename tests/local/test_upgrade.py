"""A stack of a release, with data in it, is updated to today's template: everything is still there.

The function code and scripts are today's on both sides: only templates of a release are kept, not its assets.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cdk_ml_lens.local import LaptopCloud
from tests.local.support import stack_resources
from tests.upgrade.changes import STATEFUL
from tests.upgrade.test_releases import NAMES, RELEASED, template

pytestmark = pytest.mark.laptop_cloud
ASSET = re.compile(r"[0-9a-f]{64}\.\w+")


@pytest.mark.parametrize("released", RELEASED, ids=NAMES)
def test_what_a_release_kept_is_there_after_the_update(
    released: Path, today: Path, laptop_cloud: LaptopCloud, model_artifact: Callable[..., str], tmp_path: Path
) -> None:
    model_artifact("any", name="any")
    stack = released.name.split(".")[0]
    given = parameters(template(released))
    laptop_cloud.deploy(assembly_of(released, today, tmp_path / "released"), stack, parameters=given)
    before = stateful(laptop_cloud, stack)
    readers = [reader for type, name in before.values() for reader in written(laptop_cloud, type, name)]
    assert readers
    laptop_cloud.deploy(today, stack, parameters=given)
    after = stateful(laptop_cloud, stack)
    assert {logical_id: after.get(logical_id) for logical_id in before} == before
    for reader in readers:
        reader()
    laptop_cloud.destroy(stack)


def parameters(document: dict[str, Any]) -> dict[str, str]:
    names = [name for name, item in document.get("Parameters", {}).items() if "Default" not in item]
    return {name: "models" if name.endswith("Bucket") else "any.tar.gz" for name in names}


def assembly_of(released: Path, today: Path, folder: Path) -> Path:
    """Copy today's assembly, with the released template in the place of today's and today's assets in its places."""
    shutil.copytree(today, folder)
    now = (today / released.name).read_text()
    old = json.dumps(with_assets_of(template(released), json.loads(now)))
    (folder / released.name).write_text(old)
    assets = folder / released.name.replace(".template.json", ".assets.json")
    assets.write_text(re.sub(r'("objectKey": ")([0-9a-f]{64}\.json")', r"\1released-\2", assets.read_text()))
    return folder


def with_assets_of(old: Any, new: Any) -> Any:
    if isinstance(old, dict):
        return {key: with_assets_of(item, new.get(key) if isinstance(new, dict) else None) for key, item in old.items()}
    if isinstance(old, list):
        others = new if isinstance(new, list) and len(new) == len(old) else [None] * len(old)
        return [with_assets_of(item, other) for item, other in zip(old, others, strict=True)]
    if isinstance(old, str) and isinstance(new, str) and ASSET.search(old) and (found := ASSET.search(new)):
        return ASSET.sub(found[0], old)
    return old


def stateful(cloud: LaptopCloud, stack: str) -> dict[str, tuple[str, str]]:
    """Return type and physical id of each resource that holds something, by logical id."""
    return {id: found for id, found in stack_resources(cloud, stack).items() if found[0] in STATEFUL}


def written(cloud: LaptopCloud, type: str, name: str) -> Iterator[Callable[[], None]]:
    """Write to a bucket, a table or with a key; yield what reads it again."""
    writer = {"AWS::S3::Bucket": to_bucket, "AWS::DynamoDB::Table": to_table, "AWS::KMS::Key": with_key}.get(type)
    if writer is not None:
        yield writer(cloud, name)


def to_bucket(cloud: LaptopCloud, name: str) -> Callable[[], None]:
    s3, place = cloud.client("s3"), {"Bucket": name, "Key": "kept-over-the-update.txt"}
    s3.put_object(**place, Body=b"kept")

    def read() -> None:
        assert s3.get_object(**place)["Body"].read() == b"kept", name

    return read


def to_table(cloud: LaptopCloud, name: str) -> Callable[[], None]:
    dynamodb = cloud.client("dynamodb")
    schema = dynamodb.describe_table(TableName=name)["Table"]
    types = {entry["AttributeName"]: entry["AttributeType"] for entry in schema["AttributeDefinitions"]}
    key = {entry["AttributeName"]: {types[entry["AttributeName"]]: "1"} for entry in schema["KeySchema"]}
    dynamodb.put_item(TableName=name, Item={**key, "kept": {"S": "kept"}})

    def read() -> None:
        assert dynamodb.get_item(TableName=name, Key=key)["Item"]["kept"] == {"S": "kept"}, name

    return read


def with_key(cloud: LaptopCloud, name: str) -> Callable[[], None]:
    kms = cloud.client("kms")
    secret = kms.encrypt(KeyId=name, Plaintext=b"kept")["CiphertextBlob"]

    def read() -> None:
        assert kms.decrypt(CiphertextBlob=secret, KeyId=name)["Plaintext"] == b"kept", name

    return read
