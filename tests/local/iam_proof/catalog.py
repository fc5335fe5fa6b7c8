"""Every role that Lambda or Step Functions takes, in all stacks and examples, with what it is allowed."""

from __future__ import annotations

import functools
import importlib.util
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aws_cdk as cdk

import app
from cdk_ml_lens.review import intrinsics
from cdk_ml_lens.review.template import Resource, Template
from tests.local.iam_proof.kinds import kind_of
from tests.local.iam_proof.shapes import shape

ROOT = Path(__file__).parents[3]
SERVICES = ("lambda.amazonaws.com", "states.amazonaws.com")


@dataclass(frozen=True, kw_only=True, order=True)
class Right:
    """One action on one resource, as a template says it."""

    action: str
    resource: str


@dataclass(frozen=True, kw_only=True)
class Role:
    """One role of one template.

    Parameters
    ----------
    setting : str
        ``examples/ab_test.py`` or ``stack DataLake``.
    logical_id : str
        Of the role.
    kind : str
        Which work it is for: ``handler score_readings``.
    service : str
        Who takes it.
    statements : tuple of (actions, resources)
        As shapes, what is allowed; what is denied is left out.
    """

    setting: str
    logical_id: str
    kind: str
    service: str
    statements: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]

    @property
    def rights(self) -> list[Right]:
        """Each action with each resource, sorted, each once."""
        pairs = {(action, resource) for actions, resources in self.statements for action in actions
                 for resource in resources}  # fmt: skip
        return [Right(action=action, resource=resource) for action, resource in sorted(pairs)]


def load(path: Path) -> Any:
    """Import an example by its file."""
    spec = importlib.util.spec_from_file_location(f"proof_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def templates() -> dict[str, Template]:
    """Return the template of each example and each stack of the app; by setting, in order."""
    return {setting: template(setting) for setting in settings()}


def settings() -> list[str]:
    """Return the names of all examples and stacks."""
    paths = sorted((ROOT / "examples").glob("*.py"))
    examples = [f"examples/{path.name}" for path in paths if not path.stem.startswith("test_")]
    return [*examples, *(f"stack {name}" for name in sorted(app.STACKS))]


def build(setting: str) -> cdk.Stack:
    """Build the stack of a setting in an app of its own."""
    if setting.startswith("stack "):
        name = setting.removeprefix("stack ")
        return app.STACKS[name](cdk.App(context=app.flags()), name)
    stack: cdk.Stack = load(ROOT / setting).build(cdk.App())
    return stack


def template(setting: str) -> Template:
    """Return the template of one setting."""
    return assembly(setting)[2]


@functools.cache
def assembly(setting: str) -> tuple[Path, str, Template]:
    """Synthesize one setting: folder, name of the stack, template."""
    stack = build(setting)
    stage = cdk.Stage.of(stack)
    assert stage is not None
    folder = Path(stage.synth().directory)
    document = json.loads((folder / f"{stack.artifact_id}.template.json").read_text(encoding="utf-8"))
    return folder, stack.stack_name, Template(document)


@functools.cache
def roles() -> tuple[Role, ...]:
    """Return every role that a service of `SERVICES` takes, by setting and logical id."""
    return tuple(
        Role(
            setting=setting,
            logical_id=resource.logical_id,
            kind=kind_of(resource, template),
            service=service,
            statements=tuple(_statements(resource.logical_id, template)),
        )
        for setting, template in templates().items()
        for resource in sorted(template.of_type("AWS::IAM::Role"), key=lambda role: role.logical_id)
        if (service := _service(resource)) in SERVICES
    )


def _service(role: Resource) -> str:
    trust = json.dumps(role.get("AssumeRolePolicyDocument"))
    return next((service for service in SERVICES if service in trust), "")


def policies(role: str, template: Template) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Yield name and statements of each policy of a role, as the template has them."""
    resource = template.resources[role]
    for inline in resource.each("Policies"):
        yield intrinsics.text(inline["PolicyName"]), inline["PolicyDocument"]["Statement"]
    for policy in template.of_type("AWS::IAM::Policy"):
        if role in intrinsics.references(policy.get("Roles")):
            yield intrinsics.text(policy.get("PolicyName")), policy.get("PolicyDocument")["Statement"]


def _statements(role: str, template: Template) -> Iterator[tuple[tuple[str, ...], tuple[str, ...]]]:
    for _, statements in policies(role, template):
        for statement in statements:
            if statement["Effect"] == "Allow":
                actions = tuple(sorted(intrinsics.each_value(statement["Action"])))
                shapes = {shape(value, template) for value in intrinsics.each_value(statement["Resource"])}
                yield actions, tuple(sorted(shapes))
