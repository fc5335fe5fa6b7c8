"""The machines of a lake's pipeline and of the replay of a stream's originals."""

from __future__ import annotations

import time

import pytest

from cdk_ml_lens.local import LaptopCloud
from tests.local.iam_proof.harness import Proof
from tests.local.iam_proof.machines.conftest import Proven, Stage
from tests.local.iam_proof.machines.executions import Machine

pytestmark = pytest.mark.laptop_cloud
LAKE, STREAM = "examples/etl_job.py", "examples/stream_ingest.py"


def test_the_machine_of_a_lake_pipeline_needs_each_of_its_rights(
    cloud: LaptopCloud, stage: Stage, proven: Proven
) -> None:
    lake = stage(LAKE)
    machine, glue = Machine(cloud, lake.outputs["MachineArn"]), cloud.client("glue")
    jobs = glue.get_jobs()["Jobs"]

    def runs() -> int:
        return sum(len(glue.get_job_runs(JobName=job["Name"])["JobRuns"]) for job in jobs)

    def begun() -> None:
        """Start a run of the first job; the checks of the others are the same, so there the execution is stopped."""
        before, execution = runs(), machine.start()
        deadline = time.monotonic() + 30
        while runs() == before and time.monotonic() < deadline:
            machine.check(execution)
            time.sleep(0.05)
        machine.stop(execution)
        assert runs() > before

    proven(Proof(role="PipelineMachineRole", setting=LAKE, stack=lake.name, template=lake.template, work=begun))


def test_the_machine_of_a_replay_needs_each_of_its_rights(cloud: LaptopCloud, stage: Stage, proven: Proven) -> None:
    stream = stage(STREAM)
    (arn,) = [value for value in stream.outputs.values() if ":stateMachine:" in value and "Ingest" in value]
    machine = Machine(cloud, arn)
    span = {"from": "2026-11-01T00:00:00Z", "to": "2026-11-01T01:00:00Z"}

    def replayed() -> None:
        machine.run(**span)

    proven(
        Proof(
            role="IngestReplayMachineRole", setting=STREAM, stack=stream.name, template=stream.template, work=replayed
        )
    )
