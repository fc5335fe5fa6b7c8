"""One laptop cloud for this folder's tests, with a fake model server; deploys plain templates."""

from __future__ import annotations

import contextlib
import io
import sys
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cdk_ml_lens.local import DeployError, Deployment, LaptopCloud, ModelRuntime
from tests import waiting
from tests.local.support import write_assembly

FAKE_SERVER = Path(__file__).parent / "fake_model_server.py"
TIME_SCALE = 20
Deploy = Callable[..., Deployment]
Until = Callable[..., Any]
Received = Callable[[str], list[str]]
Collected = Callable[..., list[str]]


@pytest.fixture(scope="session")
def laptop_cloud_options() -> dict[str, Any]:
    return {"models": ModelRuntime(python=Path(sys.executable), server=FAKE_SERVER), "time_scale": TIME_SCALE}


@pytest.fixture(scope="session")
def clouds() -> list[LaptopCloud]:
    """The clouds that the files of this process share."""
    return []


@pytest.fixture(scope="module", autouse=True)
def stacks_go_with_their_file(clouds: list[LaptopCloud]) -> Iterator[None]:
    """Whatever file comes next finds no stack, so that the order of files is free."""
    yield
    for cloud in clouds:
        pages = cloud.client("cloudformation").get_paginator("list_stacks").paginate()
        for entry in [entry for page in pages for entry in page["StackSummaries"]]:
            if entry["StackStatus"] != "DELETE_COMPLETE":
                with contextlib.suppress(DeployError):  # a device keeps its policy, as on AWS
                    cloud.destroy(entry["StackName"])


@pytest.fixture(scope="session")
def laptop_cloud(laptop_cloud: LaptopCloud, clouds: list[LaptopCloud]) -> LaptopCloud:
    """The plugin's cloud."""
    clouds.append(laptop_cloud)
    return laptop_cloud


@pytest.fixture(scope="session")
def guarded(tmp_path_factory: pytest.TempPathFactory, clouds: list[LaptopCloud]) -> Iterator[LaptopCloud]:
    """A second cloud, which enforces IAM."""
    models = ModelRuntime(python=Path(sys.executable), server=FAKE_SERVER)
    folder = tmp_path_factory.mktemp("guarded")
    with LaptopCloud.start(auth=True, state_dir=folder, models=models, time_scale=TIME_SCALE) as cloud:
        clouds.append(cloud)
        yield cloud
        clouds.remove(cloud)


@pytest.fixture
def deploy_template(laptop_cloud: LaptopCloud, tmp_path: Path) -> Deploy:
    def deploy(name: str, resources: dict[str, Any], **outputs: Any) -> Deployment:
        template = {"Resources": resources, "Outputs": {key: {"Value": item} for key, item in outputs.items()}}
        return laptop_cloud.deploy(write_assembly(tmp_path, name, template), name)

    return deploy


@pytest.fixture(scope="session")
def until() -> Until:
    return waiting.until


@pytest.fixture
def received(laptop_cloud: LaptopCloud) -> Received:
    """Return a function that takes the bodies of all messages that a queue has now."""
    sqs = laptop_cloud.client("sqs")

    def take(queue_url: str) -> list[str]:
        bodies: list[str] = []
        while messages := sqs.receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                bodies.append(message["Body"])
                sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"])
        return bodies

    return take


@pytest.fixture
def collected(received: Received, until: Until) -> Collected:
    """Return a function that takes message bodies from a queue until there are ``count``."""

    def collect(queue_url: str, count: int, *, seconds: float = 30.0) -> list[str]:
        bodies: list[str] = []

        def enough() -> bool:
            bodies.extend(received(queue_url))
            return len(bodies) >= count

        until(enough, seconds=seconds)
        return bodies

    return collect


@pytest.fixture
def model_artifact(laptop_cloud: LaptopCloud) -> Callable[..., str]:
    """Return a function that uploads a model.tar.gz with the given text files and returns its URL."""
    s3 = laptop_cloud.client("s3")
    s3.create_bucket(Bucket="models")  # again is no error, as in us-east-1

    def upload(key: str, /, **files: str) -> str:
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w:gz") as bundle:
            for stem, text in files.items():
                entry = tarfile.TarInfo(f"{stem}.txt")
                entry.size = len(text)
                bundle.addfile(entry, io.BytesIO(text.encode()))
        s3.put_object(Bucket="models", Key=f"{key}.tar.gz", Body=buffer.getvalue())
        return f"s3://models/{key}.tar.gz"

    return upload
