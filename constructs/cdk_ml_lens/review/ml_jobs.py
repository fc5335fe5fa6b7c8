"""SageMaker jobs of a template in one form, whether a definition calls them or a resource describes them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cdk_ml_lens.review import intrinsics, jobs
from cdk_ml_lens.review.template import Template

TRAINING, PROCESSING, TRANSFORM = "training", "processing", "transform"
TUNING, AUTOML, MONITORING = "tuning", "AutoML", "monitoring"
_CALLS = {
    "createTrainingJob": TRAINING,
    "createProcessingJob": PROCESSING,
    "createTransformJob": TRANSFORM,
    "createHyperParameterTuningJob": TUNING,
    "createAutoMLJob": AUTOML,
    "createAutoMLJobV2": AUTOML,
}
MONITOR_KINDS = ("DataQuality", "ModelQuality", "ModelBias", "ModelExplainability")
_DEFINITIONS = tuple(f"AWS::SageMaker::{kind}JobDefinition" for kind in MONITOR_KINDS)


@dataclass(frozen=True, kw_only=True)
class MlJob:
    """One job, or one training definition of a tuning job.

    Parameters
    ----------
    logical_id : str
        Resource that describes or starts it.
    name : str
        State or step; the logical id for a resource. It tells the findings of one owner apart.
    kind : str
        ``training``, ``processing``, ``transform``, ``tuning``, ``AutoML`` or ``monitoring``.
    request : mapping
        Arguments of the call, or properties of the resource; one text if an expression makes all of them.
    """

    logical_id: str
    name: str
    kind: str
    request: Mapping[str, Any]

    def get(self, path: str, default: Any = None) -> Any:
        """Return the value at a dotted path; see `intrinsics.at` for what is not known."""
        return intrinsics.at(self.request, path, default)

    def detail(self, *parts: str) -> str | None:
        """Return the detail of a finding on this job: ``Train``, or ``Train.volume``; a resource needs no name."""
        name = () if self.name == self.logical_id else (re.sub(r"[^\w.-]+", "-", self.name),)
        return ".".join((*name, *parts)) or None


def of(template: Template, *kinds: str) -> Iterator[MlJob]:
    """Yield the jobs of these kinds; training includes the training definitions of tuning jobs."""
    for job in _all(template):
        if job.kind in kinds:
            yield job


def _all(template: Template) -> Iterator[MlJob]:
    for call in jobs.of(template):
        if call.service == "sagemaker" and call.operation in _CALLS:
            job = MlJob(
                logical_id=call.owner.logical_id,
                name=call.name,
                kind=_CALLS[call.operation],
                request=call.arguments,
            )
            yield job
            yield from _trainings(job)
    for resource in template.of_type(*_DEFINITIONS):
        yield MlJob(
            logical_id=resource.logical_id, name=resource.logical_id, kind=MONITORING, request=resource.properties
        )
    for resource in template.of_type("AWS::SageMaker::ProcessingJob"):
        yield MlJob(
            logical_id=resource.logical_id, name=resource.logical_id, kind=PROCESSING, request=resource.properties
        )


def _trainings(job: MlJob) -> Iterator[MlJob]:
    if job.kind != TUNING:
        return
    one, several = job.get("TrainingJobDefinition"), job.get("TrainingJobDefinitions")
    for place, definition in enumerate((one, *intrinsics.each_value(several))):
        if isinstance(definition, Mapping):
            name = job.name if place == 0 else f"{job.name}.{place}"
            yield MlJob(logical_id=job.logical_id, name=name, kind=TRAINING, request=definition)
