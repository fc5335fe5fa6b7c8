"""Proves that a role needs each right it has: takes it away from the deployed role, and the work must be refused."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from cdk_ml_lens.local import LaptopCloud
from cdk_ml_lens.review import intrinsics
from cdk_ml_lens.review.template import Template
from tests.local.iam_proof import allowed, catalog
from tests.local.iam_proof.catalog import Right
from tests.local.iam_proof.kinds import kind_of
from tests.local.iam_proof.outcomes import Outcome, plain
from tests.local.iam_proof.shapes import shape

Work = Callable[[], None]
Documents = dict[str, dict[str, Any]]  # policies of a role by name


class Refused(Exception):  # noqa: N818  (it is the outcome that is looked for)
    """IAM stopped the work; the text says what was seen: an error, or the effect that is missing."""


@dataclass(frozen=True, kw_only=True)
class Proof:
    """The work of one role.

    Parameters
    ----------
    role : str
        Logical id of the role, with or without the hash at its end.
    setting : str
        ``examples/ab_test.py`` or ``stack DataLake``: one of `catalog.settings`.
    stack : str
        Name of the deployed stack.
    work : callable
        Does the role's whole work; raises `Refused` when IAM stops it, and any other error when something else does.
    works : mapping, optional
        Shorter work for some actions, by action or by ``action resource``. Default: ``work`` for every action.
    template : Template, optional
        The deployed template where it is not the setting's own. Default: the setting's.
    skip : callable, optional
        Leaves rights out that another proof of the same kind shows. Default: none.
    """

    role: str
    setting: str
    stack: str
    work: Work
    works: Mapping[str, Work] = field(default_factory=lambda: MappingProxyType({}))
    template: Template | None = None
    skip: Callable[[Right], bool] = lambda right: False

    def work_for(self, right: Right) -> Work:
        """Return the work that needs a right."""
        return self.works.get(f"{right.action} {right.resource}", self.works.get(right.action, self.work))


def prove(cloud: LaptopCloud, proof: Proof, *, test: str) -> list[Outcome]:
    """Do the work with the synthesized policy, without each right in turn, and with all of them again.

    Parameters
    ----------
    cloud
        Enforces IAM; the stack is deployed.
    proof
        What to prove.
    test
        Id of the test that proves it, for the evidence.

    Returns
    -------
    list of Outcome
        One for each right.

    Raises
    ------
    AssertionError
        If a right is not needed; it names all of them.
    """
    template = catalog.template(proof.setting) if proof.template is None else proof.template
    role, kind = _role(proof, template)
    live = _Live.of(cloud, proof.stack, role)
    _do_all(proof)
    found: list[Outcome] = []
    for right, resources in _rights(role, template, live.documents).items():
        reason = allowed.reason(kind, right)
        if reason is not None:
            found.append(Outcome(kind=kind, right=right, outcome="allowed", test=test, reason=reason))
        elif not proof.skip(right):
            with live.without(right.action, resources):
                error = attempt(proof.work_for(right))
            found.append(Outcome(kind=kind, right=right, outcome="proven", test=test, error=error))
    unneeded = [f"{one.right.action} on {one.right.resource}" for one in found if one.unneeded]
    assert not unneeded, f"{proof.setting} {role}: the work goes on without {unneeded}"
    proof.work()
    return found


def attempt(work: Work) -> str | None:
    """Return what IAM stopped, None if the work was done."""
    try:
        work()
    except Refused as refused:
        return plain(str(refused))
    return None


def _do_all(proof: Proof) -> None:
    for work in dict.fromkeys((proof.work, *proof.works.values())):
        work()


def _role(proof: Proof, template: Template) -> tuple[str, str]:
    names = [name for name in template.resources if name.startswith(proof.role)]
    (role,) = [name for name in names if template.resources[name].type == "AWS::IAM::Role"]
    return role, kind_of(template.resources[role], template)


def _rights(role: str, template: Template, live: Documents) -> dict[Right, set[str]]:
    """Return each right of the template with the resources that the deployed policies name for it."""
    found: dict[Right, set[str]] = {}
    for name, statements in catalog.policies(role, template):
        for written, deployed in zip(statements, live[name]["Statement"], strict=True):
            if written["Effect"] != "Allow":
                continue
            pairs = zip(_each(written["Resource"]), _each(deployed["Resource"]), strict=True)
            for value, resource in pairs:
                for action in _each(written["Action"]):
                    right = Right(action=action, resource=shape(value, template))
                    found.setdefault(right, set()).add(resource)
    return dict(sorted(found.items()))


@dataclass(frozen=True, kw_only=True)
class _Live:
    """The inline policies of a deployed role."""

    iam: Any
    role: str
    documents: Documents

    @classmethod
    def of(cls, cloud: LaptopCloud, stack: str, logical_id: str) -> _Live:
        found = cloud.client("cloudformation").describe_stack_resource(StackName=stack, LogicalResourceId=logical_id)
        iam, role = cloud.client("iam"), found["StackResourceDetail"]["PhysicalResourceId"]
        documents = {}
        for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
            document = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
            documents[name] = json.loads(document) if isinstance(document, str) else document
        return cls(iam=iam, role=role, documents=documents)

    @contextmanager
    def without(self, action: str, resources: set[str]) -> Iterator[None]:
        """Take an action on resources from every policy of the role, and give it back."""
        try:
            for name, document in self.documents.items():
                statements = [part for one in document["Statement"] for part in less(one, action, resources)]
                self._put(name, {**document, "Statement": statements})
            yield
        finally:
            for name, document in self.documents.items():
                self._put(name, document)

    def _put(self, name: str, document: dict[str, Any]) -> None:
        if document["Statement"]:
            self.iam.put_role_policy(RoleName=self.role, PolicyName=name, PolicyDocument=json.dumps(document))
        else:
            self.iam.delete_role_policy(RoleName=self.role, PolicyName=name)


def less(statement: dict[str, Any], action: str, resources: set[str]) -> list[dict[str, Any]]:
    """Return a statement without an action on resources, as up to two: other actions, and other resources."""
    actions, named = _each(statement["Action"]), _each(statement["Resource"])
    if statement["Effect"] != "Allow" or action not in actions or not resources.intersection(named):
        return [statement]
    others = [one for one in actions if one != action]
    elsewhere = [one for one in named if one not in resources]
    kept = [{**statement, "Action": others}] if others else []
    return [*kept, {**statement, "Action": [action], "Resource": elsewhere}] if elsewhere else kept


def _each(value: Any) -> list[Any]:
    return intrinsics.each_value(value)
