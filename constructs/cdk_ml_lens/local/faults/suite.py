"""The faults, and the run that deploys the flagship once and lets each happen."""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cdk_ml_lens.local import simulator, venvs
from cdk_ml_lens.local.app_synth import synthesize
from cdk_ml_lens.local.cloud import LaptopCloud
from cdk_ml_lens.local.demo_accounts import Accounts
from cdk_ml_lens.local.demo_plan import QUANTILE, TRAINING_ROWS, Outgoing
from cdk_ml_lens.local.faults import messages, scripts
from cdk_ml_lens.local.faults.door import Door
from cdk_ml_lens.local.faults.effects import Effects
from cdk_ml_lens.local.faults.performance import Performance
from cdk_ml_lens.local.faults.rows import Row
from cdk_ml_lens.local.faults.stage import STACK, Stage
from cdk_ml_lens.local.model_build import build_artifact
from cdk_ml_lens.local.readings import Reading, write_csv

Script = Callable[[Performance], str]
Progress = Callable[[str, Accounts], None]


@dataclass(frozen=True, kw_only=True)
class Fault:
    """A fault: what is sent, and what happens meanwhile."""

    script: Script
    sent: Callable[[Sequence[Reading]], list[Outgoing]] = messages.good


FAULTS: Mapping[str, Fault] = {
    "poison message": Fault(script=scripts.nothing, sent=messages.poisoned),
    "endpoint 5xx": Fault(script=scripts.endpoint_errors),
    "throttling: endpoint": Fault(script=scripts.throttled_endpoint),
    "throttling: DynamoDB": Fault(script=scripts.throttled_ledger),
    "throttling: Firehose": Fault(script=scripts.throttled_log),
    "throttling: SQS": Fault(script=scripts.throttled_queue, sent=messages.poisoned),
    "model process killed mid-batch": Fault(script=scripts.model_killed),
    "Lambda killed mid-batch": Fault(script=scripts.lambda_killed),
    "duplicates": Fault(script=scripts.duplicates),
    "out of order": Fault(script=scripts.out_of_order),
    "endpoint deleted, redriven": Fault(script=scripts.endpoint_deleted),
    "S3 refused": Fault(script=scripts.s3_refused),
    "clock skew": Fault(script=scripts.clock_skew, sent=lambda some: messages.skewed(some, dice=random.Random(0))),
}
NAMES = tuple(FAULTS)


def silent(*_: object) -> None:
    """Show nothing."""


def run(
    *,
    count: int,
    app_dir: Path,
    only: Iterable[str] = NAMES,
    step: Callable[[str], None] = silent,
    progress: Progress = silent,
) -> Iterator[Row]:
    """Deploy the flagship on a laptop cloud of its own and yield the row of each fault.

    Parameters
    ----------
    count
        Readings per fault.
    app_dir
        Folder of the app with ``cdk.json``.
    only
        Names of the faults. Default: all.
    step, progress
        Called when something has begun; and twice a second with the accounts of the running fault.

    Raises
    ------
    RuntimeError
        When training, synthesis, the cloud or a device fails.
    """
    with flagship(app_dir, step=step) as (stage, door):
        effects = Effects(stage.cloud, stage.outputs)
        for name in only:
            first = NAMES.index(name) * count
            step(name)
            yield _one(name, messages.readings(count, first=first), stage, door, effects, progress)


def _one(name: str, some: Sequence[Reading], stage: Stage, door: Door, effects: Effects, progress: Progress) -> Row:
    begun, fault = time.monotonic(), FAULTS[name]
    performance = Performance(
        stage=stage,
        door=door,
        effects=effects,
        messages=fault.sent(some),
        on_tick=lambda accounts: progress(name, accounts),
    )
    what = fault.script(performance)
    performance.settle()
    return performance.close(name, what, seconds=time.monotonic() - begun)


@contextmanager
def flagship(app_dir: Path, *, step: Callable[[str], None] = silent) -> Iterator[tuple[Stage, Door]]:
    """Train a model, deploy the flagship with it and connect the devices."""
    with tempfile.TemporaryDirectory(prefix="ml-lens-faults-") as folder:
        work = Path(folder)
        assembly = _assembly(app_dir, work, step)
        with LaptopCloud.start(state_dir=work / "cloud", progress=step) as cloud:
            stage = Stage(cloud, cloud.deploy(assembly, STACK).outputs)
            stage.hurry()
            with Door(stage, work / "devices") as door:
                door.connect(sorted({reading.device_id for reading in messages.readings(messages.DEVICES, first=0)}))
                step("the flagship is deployed")
                yield stage, door


def _assembly(app_dir: Path, work: Path, step: Callable[[str], None]) -> Path:
    names = simulator.FEATURES
    training = write_csv(work / "training.csv", simulator.training_set(seed=42, rows=TRAINING_ROWS), features=names)
    python = venvs.ensure("model", progress=step)
    artifact = build_artifact(training, work / "model.tar.gz", quantile=QUANTILE, seed=0, features=names, python=python)
    context = {"stacks": STACK, "nag": "false", "model_artifact": str(artifact), "features": ",".join(names)}
    return synthesize(app_dir=app_dir, out=work / "cdk.out", context=context)
