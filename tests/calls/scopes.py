"""One module of the product: its functions and what is assigned there, to tell whose client an expression is."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

from tests.calls import names

_Function = ast.FunctionDef | ast.AsyncFunctionDef


class Module:
    """The syntax tree of a file, read once."""

    def __init__(self, *, path: Path, file: str) -> None:
        self.file = file
        self.tree = ast.parse(path.read_text(encoding="utf-8"))
        self.parents = {child: node for node in ast.walk(self.tree) for child in ast.iter_child_nodes(node)}

    def attributes(self) -> Iterator[ast.Attribute]:
        """Return what is read from an object: calls, and methods that are handed on."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
                yield node

    def made(self) -> set[str]:
        """Return the services that clients are made of here."""
        return {service for node in ast.walk(self.tree) if (service := _made(node)) is not None}

    def properties(self) -> dict[str, str]:
        """Return the cached properties that give a client."""
        found: dict[str, str] = {}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.FunctionDef) and any(
                "cached_property" in ast.unparse(d) for d in node.decorator_list
            ):
                last = node.body[-1]
                service = _made(last.value) if isinstance(last, ast.Return) else None
                if service is None and isinstance(last, ast.Return) and isinstance(last.value, ast.Attribute):
                    service = found.get(last.value.attr)
                if service is not None:
                    found[node.name] = service
        return found

    def service_of(self, node: ast.expr, properties: dict[str, str], used: set[tuple[str, str]]) -> str | None:
        """Return the service whose client an expression is, None if it is none or cannot be told."""
        made = _made(node)
        if made is not None:
            return made
        name = _name(node)
        if name is None or (isinstance(node, ast.Call) and name not in self.returning):
            return None
        if isinstance(node, ast.Call):
            return self.returning[name]
        assigned = self._assigned(node, name)
        if assigned is not None:
            return assigned
        return self._by_table(name, used) or self._by_convention(node, name, properties)

    def _by_table(self, name: str, used: set[tuple[str, str]]) -> str | None:
        if (self.file, name) in names.CLIENTS:
            used.add((self.file, name))
        return names.CLIENTS.get((self.file, name))

    def _by_convention(self, node: ast.expr, name: str, properties: dict[str, str]) -> str | None:
        if isinstance(node, ast.Name) and name in self.imported:
            return None
        if isinstance(node, ast.Attribute) and name in properties and _name(node.value) in ("clients", "_clients"):
            return properties[name]
        return names.SERVICES.get(name.lstrip("_"))

    @cached_property
    def returning(self) -> dict[str, str]:
        """Functions of this file that return a client."""
        return {
            node.name: service
            for node in ast.walk(self.tree)
            if isinstance(node, _Function)
            for last in ast.walk(node)
            if isinstance(last, ast.Return) and (service := _made(last.value)) is not None
        }

    @cached_property
    def imported(self) -> set[str]:
        """Names that are imported here."""
        nodes = (node for node in ast.walk(self.tree) if isinstance(node, ast.Import | ast.ImportFrom))
        return {(alias.asname or alias.name).split(".")[0] for node in nodes for alias in node.names}

    def _assigned(self, node: ast.expr, name: str) -> str | None:
        """Return the service that a name was assigned a client of, in its function or on `self`."""
        whole = isinstance(node, ast.Attribute)
        scope = self.tree if whole else self._function(node)
        for child in ast.walk(scope):
            if isinstance(child, ast.Assign | ast.AnnAssign) and child.value is not None:
                for target, value in _pairs(child):
                    service = _made(value) or self._called(value)
                    if isinstance(target, ast.Attribute) == whole and _name(target) == name and service:
                        return service
        return None

    def _called(self, value: ast.expr) -> str | None:
        return self.returning.get(_name(value) or "") if isinstance(value, ast.Call) else None

    def _function(self, node: ast.AST) -> ast.AST:
        while node in self.parents:
            node = self.parents[node]
            if isinstance(node, _Function):
                return node
        return self.tree

    def is_other(self, node: ast.expr, used: set[tuple[str, str]]) -> bool:
        """Tell whether an expression is known to be no client."""
        name = _name(node)
        if name is None:
            return False
        if (self.file, name) in names.OTHERS:
            used.add((self.file, name))
            return True
        return (isinstance(node, ast.Name) and name in self.imported) or name in self._patterns or self._module(node)

    @cached_property
    def _patterns(self) -> set[str]:
        return {
            target.id
            for node in self.tree.body
            if isinstance(node, ast.Assign) and ast.unparse(node.value).startswith("re.compile(")
            for target in node.targets
            if isinstance(target, ast.Name)
        }

    def _module(self, node: ast.expr) -> bool:
        while isinstance(node, ast.Attribute):
            node = node.value
        return isinstance(node, ast.Name) and node.id in ("botocore", "boto3")

    def chosen(self) -> Iterator[tuple[int, ast.expr]]:
        """Return the objects that `getattr` takes something from by a name that is not written there."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Call) and _chooses(node):
                yield node.lineno, node.args[0]

    def may_choose(self, node: ast.expr, used: set[tuple[str, str]]) -> bool:
        """Tell whether an operation chosen at run time is on the list."""
        key = (self.file, _name(node) or "")
        if key in names.CHOSEN:
            used.add(key)
        return key in names.CHOSEN

    def first_text(self, node: ast.Attribute) -> str | None:
        """Return the text that a method is called with."""
        call = self.parents.get(node)
        if isinstance(call, ast.Call) and call.func is node and call.args and isinstance(call.args[0], ast.Constant):
            return str(call.args[0].value)
        return None

    def goes_on(self, node: ast.Attribute, tokens: frozenset[str]) -> bool:
        """Tell whether the function that calls a method asks for further pages by hand."""
        if not tokens:
            return False
        scope = ast.walk(self._function(node))
        return any(
            (isinstance(child, ast.Constant) and child.value in tokens)
            or (isinstance(child, ast.keyword) and child.arg in tokens)
            for child in scope
        )


def _made(node: ast.AST | None) -> str | None:
    """Return the service of a client that is made right here."""
    if not isinstance(node, ast.Call) or _name(node.func) not in names.MAKERS or not node.args:
        return None
    first = node.args[0]
    return first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else None


def _name(node: ast.expr) -> str | None:
    """Return the last name of an expression: `ledger` of `self.clients.ledger`, `client` of `client()`."""
    if isinstance(node, ast.Call | ast.Subscript):
        return _name(node.func if isinstance(node, ast.Call) else node.value)
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else None


def _pairs(node: ast.Assign | ast.AnnAssign) -> Iterator[tuple[ast.expr, ast.expr]]:
    assert node.value is not None
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    for target in targets:
        if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
            yield from zip(target.elts, node.value.elts, strict=True)
        else:
            yield target, node.value


def _chooses(node: ast.Call) -> bool:
    plain = isinstance(node.func, ast.Name) and node.func.id == "getattr"
    return plain and not isinstance(node.args[1], ast.Constant)
