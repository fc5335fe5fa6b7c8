"""Which work a role is for: the handler of its function, or what its state machine does."""

from __future__ import annotations

from cdk_ml_lens.review import intrinsics
from cdk_ml_lens.review.template import Resource, Template

# How the comment of a machine's definition begins, and the kind.
MACHINES = (
    ("Traffic shift between two", "machine traffic shift"),
    ("Score one folder", "machine batch transform"),
    ("Describe the data of a model version", "machine baseline"),
    ("Judge one window of captured traffic", "machine drift"),
    ("One run works, one waits", "machine lake pipeline"),
    ("Replay the originals", "machine replay"),
    ("Train ", "machine training"),
    ("One deployment at a time: approved", "machine deployment"),
    ("One deployment at a time: rebuild", "machine rebuild"),
)


def kind_of(role: Resource, template: Template) -> str:
    """Return the kind of a role that Lambda or Step Functions takes; a kind of its own if nothing of ours uses it."""
    for user in template.users_of(role.logical_id):
        if user.type == "AWS::Lambda::Function":
            return f"handler {user.get('Handler').removeprefix('handlers.').removesuffix('.handler')}"
        if user.type == "AWS::StepFunctions::StateMachine":
            return machine_kind(user)
    return f"role {role.logical_id}"


def machine_kind(machine: Resource) -> str:
    """Return the kind of a state machine."""
    definition = intrinsics.document(machine.get("DefinitionString"))
    comment = definition.get("Comment", "")
    return next((kind for start, kind in MACHINES if comment.startswith(start)), f"machine {machine.logical_id}")
