"""The machines of training, plain and searching, and the handlers that judge and register."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cdk_ml_lens.local import LaptopCloud
from tests.local.iam_proof.catalog import Right
from tests.local.iam_proof.harness import Proof
from tests.local.iam_proof.machines import model_stack
from tests.local.iam_proof.machines.conftest import Deployed, Proven, Stage
from tests.local.iam_proof.machines.executions import Machine

pytestmark = pytest.mark.laptop_cloud
SPLITS = ("train", "validation", "test")
SEARCHED = ("hyper-parameter-tuning-job", "training-job")


@pytest.fixture(scope="module")
def models(stage: Stage) -> Deployed:
    return stage(model_stack.build())


@pytest.fixture(scope="module")
def dataset(cloud: LaptopCloud, models: Deployed) -> str:
    """The URI of a dataset of one row for each split."""
    bucket, s3 = models.outputs["DataOutput"], cloud.client("s3")
    for split in SPLITS:
        s3.put_object(
            Bucket=bucket, Key=f"datasets/one/{split}/part-0.csv", Body=b"timestamp,a\n2026-11-01T00:00:00Z,1\n"
        )
    manifest = {
        "version": "one",
        "sha256": "0" * 64,
        "features": ["a"],
        "splits": {split: f"s3://{bucket}/datasets/one/{split}/" for split in SPLITS},
    }
    s3.put_object(Bucket=bucket, Key="datasets/one/dataset.json", Body=json.dumps(manifest))
    return f"s3://{bucket}/datasets/one/dataset.json"


def proof(cloud: LaptopCloud, models: Deployed, dataset: str, name: str, **more: Any) -> Proof:
    """Return the proof of one of the two pipelines."""
    machine = Machine(cloud, models.outputs[f"{name}Output"])
    absent = f"{dataset.rpartition('/')[0]}/absent.json"
    machine.run(dataset=dataset)  # there is a champion now

    def trained() -> None:
        machine.run(dataset=dataset)

    def failing() -> None:
        """Fail for an absent dataset, which only who may list can tell from a forbidden one, and tell of it."""
        machine.run("ReadDatasetFailed", dataset=absent)

    works = {"events:PutEvents": failing, "s3:ListBucket": failing}
    setting = "examples/training_search.py"
    return Proof(
        role=f"{name}MachineRole",
        setting=setting,
        stack=models.name,
        template=models.template,
        work=trained,
        works=works,
        **more,
    )


def test_the_machine_of_a_training_needs_each_of_its_rights(
    cloud: LaptopCloud, models: Deployed, dataset: str, proven: Proven
) -> None:
    proven(proof(cloud, models, dataset, "Training"))


def test_the_machine_of_a_search_needs_its_further_rights(
    cloud: LaptopCloud, models: Deployed, dataset: str, proven: Proven
) -> None:
    def shown_already(right: Right) -> bool:
        return right.resource.split("/")[0] not in SEARCHED and "TuningJobs" not in right.resource

    proven(proof(cloud, models, dataset, "Search", skip=shown_already))
