"""Service calls inside state machine definitions and SageMaker pipelines: jobs that no template resource shows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cdk_ml_lens.review import intrinsics
from cdk_ml_lens.review.template import Resource, Template

MACHINE = "AWS::StepFunctions::StateMachine"
PIPELINE = "AWS::SageMaker::Pipeline"
_STEPS = {
    "Training": "createTrainingJob",
    "Processing": "createProcessingJob",
    "Transform": "createTransformJob",
    "Tuning": "createHyperParameterTuningJob",
    "AutoML": "createAutoMLJobV2",
    "Model": "createModel",
    "RegisterModel": "createModelPackage",
}


@dataclass(frozen=True, kw_only=True)
class Job:
    """One call that a definition makes.

    Parameters
    ----------
    owner : Resource
        State machine or pipeline.
    name : str
        State or step.
    service : str
        ``sagemaker``, ``glue``, ``lambda`` … as in the ARN of the integration.
    operation : str
        API operation in lower camel case: ``createTrainingJob``; without ``.sync``.
    arguments : mapping
        The request. A key that ends in ``.$`` (JSONPath) has lost that ending; its value is then a path. One text
        if the whole request is an expression.
    """

    owner: Resource
    name: str
    service: str
    operation: str
    arguments: Mapping[str, Any]

    def get(self, path: str, default: Any = None) -> Any:
        """Return the argument at a dotted path; see `intrinsics.at` for what is not known before it runs."""
        return intrinsics.at(self.arguments, path, default)


def of(template: Template) -> tuple[Job, ...]:
    """Return the calls of every state machine and pipeline of a template."""
    if __name__ not in template.memo:
        template.memo[__name__] = tuple(_find(template))
    found: tuple[Job, ...] = template.memo[__name__]
    return found


def _find(template: Template) -> Iterator[Job]:
    for machine in template.of_type(MACHINE):
        for name, state in states(machine):
            if state.get("Type") == "Task":
                yield from _call(machine, name, state)
    for pipeline in template.of_type(PIPELINE):
        yield from _calls(pipeline)


def states(machine: Resource) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield name and definition of each state, those inside Map and Parallel included."""
    yield from _states(definition(machine))


def definition(machine: Resource) -> Mapping[str, Any]:
    """Return the definition of a state machine; empty where it is not in the template (S3, a parameter)."""
    given = machine.get("DefinitionString")
    found = intrinsics.document(machine.get("Definition") if given is None else given)
    return found if isinstance(found, Mapping) else {}


def is_unreadable(owner: Resource) -> bool:
    """Tell whether a definition lies elsewhere or is only known at deployment."""
    if owner.type == PIPELINE:
        return not _body(owner)
    return not any(True for _ in states(owner))


def steps(pipeline: Resource) -> Iterator[Mapping[str, Any]]:
    """Yield the steps of a SageMaker pipeline, those inside conditions included."""
    yield from _each_step(_body(pipeline).get("Steps"))


def _states(definition: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name, state in (definition.get("States") or {}).items():
        yield name, state
        for inner in (*state.get("Branches", ()), state.get("ItemProcessor"), state.get("Iterator")):
            if isinstance(inner, Mapping):
                yield from _states(inner)


def _call(machine: Resource, name: str, state: Mapping[str, Any]) -> Iterator[Job]:
    parts = str(state.get("Resource", "")).split(":")
    if "states" not in parts:  # a Lambda function or an activity, by its own ARN
        return
    service, operation = parts[-2], parts[-1].split(".")[0]
    arguments = _plain(state.get("Parameters", state.get("Arguments", {})))
    yield Job(owner=machine, name=name, service=service, operation=operation, arguments=arguments)


def _body(pipeline: Resource) -> Mapping[str, Any]:
    definition = pipeline.get("PipelineDefinition", {})
    body = intrinsics.document(definition.get("PipelineDefinitionBody", "")) if isinstance(definition, Mapping) else {}
    return body if isinstance(body, Mapping) else {}


def _calls(pipeline: Resource) -> Iterator[Job]:
    for step in steps(pipeline):
        if step.get("Type") in _STEPS:
            yield Job(
                owner=pipeline,
                name=str(step.get("Name")),
                service="sagemaker",
                operation=_STEPS[step["Type"]],
                arguments=step.get("Arguments") or {},
            )


def _each_step(given: Any) -> Iterator[Mapping[str, Any]]:
    for step in intrinsics.each_value(given):
        yield step
        for branch in ("IfSteps", "ElseSteps"):
            yield from _each_step((step.get("Arguments") or {}).get(branch))


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key.removesuffix(".$"): _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list) else value
