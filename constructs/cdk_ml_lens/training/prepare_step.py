"""The preparation of a pipeline: a processing job whose output takes the place of the dataset's splits."""

from __future__ import annotations

from cdk_ml_lens.core.asl import States, caught, js
from cdk_ml_lens.training.plan import TrainingPlan
from cdk_ml_lens.training.processing_job import ProcessingJob, below

SPLITS = ("train", "validation", "test")


def prepare_states(plan: TrainingPlan, *, next: str) -> States:
    """Return the state ``Prepare``, or nothing when the algorithm takes the dataset as it is."""
    preparation = plan.algorithm.preparation
    if preparation is None or plan.preparation_role is None or plan.preparation_code is None:
        return {}
    places = {split: below(plan, f"prepared/<me>/{split}/") for split in SPLITS}
    job = ProcessingJob(
        name=js("$job & '-p'"),
        role=plan.preparation_role,
        image=preparation.image,
        code=plan.preparation_code,
        arguments=preparation.arguments,
        inputs={split: js(f"$splits.{split}") for split in SPLITS},
        outputs=places,
    )
    return {
        "Prepare": job.state(
            plan, next=next, catch=[caught("PrepareFailed", "Prepare", "Announce")], assign={"splits": places}
        )
    }
