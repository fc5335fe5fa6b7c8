"""The machines of a baseline and of a monitor of drift."""

from __future__ import annotations

import json

import pytest

from cdk_ml_lens.local import LaptopCloud
from tests.local import test_drift_monitor as data
from tests.local.iam_proof.harness import Proof
from tests.local.iam_proof.machines import model_stack
from tests.local.iam_proof.machines.conftest import Deployed, Proven, Stage
from tests.local.iam_proof.machines.executions import Machine

pytestmark = pytest.mark.laptop_cloud
HOUR, QUIET = 8, 3
SETTING = "examples/drift_monitor.py"


@pytest.fixture(scope="module")
def models(stage: Stage) -> Deployed:
    return stage(model_stack.build())


@pytest.fixture(scope="module")
def baseline(cloud: LaptopCloud, models: Deployed) -> str:
    """The URI of a dataset that is the current baseline."""
    uri = data.write_dataset(cloud, models.outputs["DataOutput"])
    Machine(cloud, models.outputs["BaselineOutput"]).run(dataset=uri)
    return uri


def version(cloud: LaptopCloud, models: Deployed, dataset: str) -> str:
    """Register a version of a model that was trained on a dataset; return its ARN."""
    bucket, manifest = models.outputs["ArtifactsOutput"], "manifests/v1-e1.json"
    written = {"model_version": "v1", "dataset": {"uri": dataset}}
    cloud.client("s3").put_object(Bucket=bucket, Key=manifest, Body=json.dumps(written))
    package = cloud.client("sagemaker").create_model_package(
        ModelPackageGroupName=models.outputs["GroupOutput"],
        InferenceSpecification={
            "Containers": [{"Image": "any", "ModelDataUrl": f"s3://{bucket}/models/v1.tar.gz"}],
            "SupportedContentTypes": ["text/csv"],
        },
        CustomerMetadataProperties={"manifest": f"s3://{bucket}/{manifest}"},
    )
    return str(package["ModelPackageArn"])


def test_the_machine_of_a_baseline_needs_each_of_its_rights(
    cloud: LaptopCloud, models: Deployed, baseline: str, proven: Proven
) -> None:
    machine = Machine(cloud, models.outputs["BaselineOutput"])
    absent = f"{baseline.rpartition('/')[0]}/absent.json"
    arn = version(cloud, models, absent)

    def described() -> None:
        machine.run(dataset=baseline)

    def of_version() -> None:
        """Read a version and its manifest, whose dataset is gone: only who may list can tell that."""
        machine.run("ReadDatasetFailed", model_package_arn=arn)

    works = {"sagemaker:DescribeModelPackage": of_version, "s3:ListBucket": of_version, "events:PutEvents": of_version}
    proven(
        Proof(
            role="BaselineMachineRole",
            setting=SETTING,
            stack=models.name,
            template=models.template,
            work=described,
            works=works,
        )
    )


@pytest.mark.usefixtures("baseline")
def test_the_machine_of_a_monitor_needs_each_of_its_rights(
    cloud: LaptopCloud, models: Deployed, proven: Proven
) -> None:
    data.write_captures(cloud, models.outputs["DataOutput"], HOUR, shift=2.0)
    machine = Machine(cloud, models.outputs["MonitorOutput"])
    span = {"start": f"2026-11-20T{HOUR:02}:00:00Z", "end": f"2026-11-20T{HOUR + 1:02}:00:00Z"}

    def judged() -> None:
        assert json.loads(machine.run(**span)["output"])["drifted"] is True

    proven(Proof(role="MonitorMachineRole", setting=SETTING, stack=models.name, template=models.template, work=judged))
