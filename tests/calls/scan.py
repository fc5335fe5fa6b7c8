"""Finds every AWS call of the product in its source: file, service, operation, and whether it goes over pages."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from tests.calls import api, names
from tests.calls.scopes import Module

ROOT = Path(__file__).resolve().parents[2]
# Outside local/ the construct library imports no boto3: tests/contract/test_layout.py holds that.
TREES = ("lambda_src", "etl_src", "model_src", "constructs/cdk_ml_lens/local")
_MORE = frozenset({"exceptions", "meta", "close", "can_paginate"})  # of a client, and no call to AWS


@dataclass(frozen=True, kw_only=True, slots=True, order=True)
class Call:
    """One operation that one file calls."""

    file: str
    service: str
    operation: str


@dataclass(kw_only=True, slots=True)
class Found:
    """The calls, with the lines where they stand and those that go over pages, and what could not be told."""

    calls: dict[Call, list[int]] = field(default_factory=dict)
    paged: set[Call] = field(default_factory=set)
    unknown: list[str] = field(default_factory=list)
    used: set[tuple[str, str]] = field(default_factory=set)  # entries of the tables that were needed


@cache
def product() -> Found:
    """Scan the product."""
    modules = [
        Module(path=path, file=path.relative_to(ROOT).as_posix())
        for tree in TREES
        for path in sorted((ROOT / tree).rglob("*.py"))
    ]
    return scan(modules)


def scan(modules: list[Module]) -> Found:
    """Scan modules; the properties that give a client are known in all of them."""
    properties = {name: service for module in modules for name, service in module.properties().items()}
    services = {*names.SERVICES.values(), *names.CLIENTS.values(), *properties.values()}
    services |= {service for module in modules for service in module.made()}
    operations = api.methods(frozenset(services))
    found = Found()
    for module in modules:
        _scan(module, properties, operations, found)
    return found


def _scan(module: Module, properties: dict[str, str], operations: frozenset[str], found: Found) -> None:
    for node in module.attributes():
        service = module.service_of(node.value, properties, found.used)
        if service is not None:
            _known(module, node, service, found)
        elif node.attr in operations and not module.is_other(node.value, found.used):
            found.unknown.append(f"{module.file}:{node.lineno}: whose {ast.unparse(node)} is this?")
    for line, receiver in module.chosen():
        service = module.service_of(receiver, properties, found.used)
        if service is not None and not module.may_choose(receiver, found.used):
            found.unknown.append(f"{module.file}:{line}: which operation of {service} is called?")


def _known(module: Module, node: ast.Attribute, service: str, found: Found) -> None:
    for operation, paged in _operations(module, node, service):
        if operation is None:
            found.unknown.append(f"{module.file}:{node.lineno}: {service} has no {ast.unparse(node)}")
            continue
        call = Call(file=module.file, service=service, operation=operation)
        found.calls.setdefault(call, []).append(node.lineno)
        if paged:
            found.paged.add(call)


def _operations(module: Module, node: ast.Attribute, service: str) -> Iterator[tuple[str | None, bool]]:
    """Return the operations behind a method of a client, None where there is none."""
    if node.attr in _MORE:
        return
    if node.attr in ("get_paginator", "get_waiter"):
        paged = node.attr == "get_paginator"
        named = module.first_text(node)
        find = api.operation if paged else api.waited
        yield (None if named is None else find(service, named)), paged
        return
    transferred = api.TRANSFERS.get(node.attr)
    if service == "s3" and transferred is not None:
        yield from ((operation, False) for operation in transferred)
        return
    operation = api.operation(service, node.attr)
    yield operation, operation is not None and module.goes_on(node, api.tokens(service, operation))
