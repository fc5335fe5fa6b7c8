"""What a laptop cloud makes of the stacks: the last column of the table."""

from __future__ import annotations

import io
import json
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

from app import STACKS
from cdk_ml_lens.local import LaptopCloud, ModelRuntime
from tests.local.conftest import FAKE_SERVER
from tests.local.test_upgrade import parameters

PLACEHOLDER = "-noop-"  # in the physical id of what MiniStack accepts and does not make


def types(assembly: Path) -> set[str]:
    """Deploy and destroy every stack on a laptop cloud with a fake model server; return the types of what it made."""
    with LaptopCloud.start(models=ModelRuntime(python=Path(sys.executable), server=FAKE_SERVER)) as cloud:
        _upload_model(cloud)
        return {type for stack in sorted(STACKS) for type in _made(cloud, assembly, stack)}


def _upload_model(cloud: LaptopCloud) -> None:
    """Upload an empty artifact, which the fake model server takes."""
    packed = io.BytesIO()
    tarfile.open(fileobj=packed, mode="w:gz").close()
    cloud.client("s3").create_bucket(Bucket="models")
    cloud.client("s3").put_object(Bucket="models", Key="any.tar.gz", Body=packed.getvalue())


def _made(cloud: LaptopCloud, assembly: Path, stack: str) -> Iterator[str]:
    template = json.loads((assembly / f"{stack}.template.json").read_text())
    cloud.deploy(assembly, stack, parameters=parameters(template))
    for page in cloud.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=stack):
        for item in page["StackResourceSummaries"]:
            if PLACEHOLDER not in item["PhysicalResourceId"]:
                yield item["ResourceType"]
    cloud.destroy(stack)
