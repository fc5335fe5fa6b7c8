"""The machines of a traffic shift and of a batch transform."""

from __future__ import annotations

import pytest

from cdk_ml_lens.local import LaptopCloud
from tests.local import shift_support
from tests.local.iam_proof.harness import Proof
from tests.local.iam_proof.machines import shift_stack
from tests.local.iam_proof.machines.conftest import Deployed, Proven, Stage
from tests.local.iam_proof.machines.executions import Machine

pytestmark = pytest.mark.laptop_cloud
KEY = {"id": {"S": shift_stack.ENDPOINT}}


@pytest.fixture(scope="module")
def shifted(cloud: LaptopCloud, stage: Stage) -> Deployed:
    shift_support.upload_model(cloud)
    return stage(shift_stack.build())


def test_the_machine_of_a_traffic_shift_needs_each_of_its_rights(
    cloud: LaptopCloud, shifted: Deployed, proven: Proven
) -> None:
    machine, claims = Machine(cloud, shifted.outputs["ShiftOutput"]), cloud.client("dynamodb")
    table, sagemaker = shifted.outputs["ClaimsOutput"], cloud.client("sagemaker")
    request = {"from": "blue", "to": "green"}

    def reset() -> None:
        claims.delete_item(TableName=table, Key=KEY)
        weights = [{"VariantName": name, "DesiredWeight": weight} for name, weight in (("blue", 1), ("green", 0))]
        sagemaker.update_endpoint_weights_and_capacities(
            EndpointName=shift_stack.ENDPOINT, DesiredWeightsAndCapacities=weights
        )

    def shift() -> None:
        """Move everything, see too few requests to judge by, and move it back."""
        reset()
        machine.run("ShiftRestored", **request)

    def restored() -> None:
        """Take over the claim of an execution that is dead."""
        reset()
        dead = machine.start(**request)
        machine.stop(dead)
        claims.put_item(TableName=table, Item=claim(dead))
        machine.run(restore=True)

    works = {"states:DescribeExecution": restored}
    proven(
        Proof(
            role="ShiftMachineRole",
            setting="examples/traffic_shift.py",
            stack=shifted.name,
            template=shifted.template,
            work=shift,
            works=works,
        )
    )


def claim(holder: str) -> dict[str, dict[str, str]]:
    """Return the claim that an execution held when it died."""
    before = '[{"VariantName": "blue", "DesiredWeight": 1}, {"VariantName": "green", "DesiredWeight": 0}]'
    texts = {"phase": "running", "holder": holder, "shift_from": "blue", "shift_to": "green", "weights_before": before}
    return {
        **KEY,
        **{name: {"S": text} for name, text in texts.items()},
        "shift_plan": {"S": "?"},
        "shift_step": {"N": "0"},
    }


def test_the_machine_of_a_batch_transform_needs_each_of_its_rights(
    cloud: LaptopCloud, shifted: Deployed, proven: Proven
) -> None:
    machine = Machine(cloud, shifted.outputs["BatchOutput"])
    row = b'{"nothing": 1}\n'
    cloud.client("s3").put_object(Bucket="shift-models", Key="input/monday/a.csv", Body=row)

    def failing() -> None:
        """Keep the folder whose rows the model does not take, and the cause, in the dead letters."""
        machine.run("States.TaskFailed", folder="monday")

    proven(
        Proof(
            role="BatchMachineRole",
            setting="examples/batch_transform.py",
            stack=shifted.name,
            template=shifted.template,
            work=failing,
        )
    )
