"""What a laptop cloud makes of the stacks: the last column of the table."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

from app import STACKS
from cdk_ml_lens.local import LaptopCloud, ModelRuntime
from tests.local.conftest import FAKE_SERVER
from tests.local.support import empty_artifact, stack_resources
from tests.local.test_upgrade import parameters

PLACEHOLDER = "-noop-"  # in the physical id of what MiniStack accepts and does not make


def types(assembly: Path) -> set[str]:
    """Deploy and destroy every stack on a laptop cloud with a fake model server; return the types of what it made."""
    with LaptopCloud.start(models=ModelRuntime(python=Path(sys.executable), server=FAKE_SERVER)) as cloud:
        cloud.client("s3").create_bucket(Bucket="models")
        cloud.client("s3").put_object(Bucket="models", Key="any.tar.gz", Body=empty_artifact())
        return {type for stack in sorted(STACKS) for type in _made(cloud, assembly, stack)}


def _made(cloud: LaptopCloud, assembly: Path, stack: str) -> Iterator[str]:
    template = json.loads((assembly / f"{stack}.template.json").read_text())
    cloud.deploy(assembly, stack, parameters=parameters(template))
    yield from (type for type, physical in stack_resources(cloud, stack).values() if PLACEHOLDER not in physical)
    cloud.destroy(stack)
