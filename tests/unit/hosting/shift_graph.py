"""Reads a state machine's definition as a graph: who follows whom, what is reachable without certain states."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

State = dict[str, Any]
_VARIABLE = re.compile(r"\$([A-Za-z_]\w*)(?!\w*\()")
_LOCAL = re.compile(r"\$([A-Za-z_]\w*)\s*:=")
_PARAMETERS = re.compile(r"function\(([^)]*)\)")


def following(state: State) -> set[str]:
    """Return the names of every state that may come next."""
    found = {state[key] for key in ("Next", "Default") if key in state}
    return found | {part["Next"] for key in ("Choices", "Catch") for part in state.get(key, ())}


def reachable(states: dict[str, State], start: str, *, without: tuple[str, ...] = ()) -> set[str]:
    """Return the states that can be reached from ``start`` if those in ``without`` did not exist."""
    found: set[str] = set()
    waiting = [start]
    while waiting:
        name = waiting.pop()
        if name not in found and name not in without:
            found.add(name)
            waiting.extend(following(states[name]))
    return found


def every_state(definition: dict[str, Any]) -> Iterator[tuple[str, State]]:
    """Yield all states, those inside maps included."""
    for name, state in definition["States"].items():
        yield name, state
        if "ItemProcessor" in state:
            yield from every_state(state["ItemProcessor"])


def expressions(node: Any) -> Iterator[str]:
    """Yield every JSONata expression below ``node``."""
    if isinstance(node, dict | list):
        for value in node.values() if isinstance(node, dict) else node:
            yield from expressions(value)
    elif isinstance(node, str) and node.startswith("{%"):
        yield node


def used_variables(expression: str) -> set[str]:
    """Return the workflow variables that an expression reads."""
    bare = re.sub(r"'[^']*'|" + r'"[^"]*"', "", expression)
    local = set(_LOCAL.findall(bare))
    for names in _PARAMETERS.findall(bare):
        local |= {name.strip(" $") for name in names.split(",")}
    return set(_VARIABLE.findall(bare)) - local - {"states"}


def assigned_variables(definition: dict[str, Any]) -> set[str]:
    """Return every workflow variable that some state sets."""
    found: set[str] = set()
    for _, state in every_state(definition):
        for part in (state, *state.get("Catch", ())):
            found |= set(part.get("Assign", {}))
    return found


def service_actions(definition: dict[str, Any]) -> set[str]:
    """Return the IAM actions that the tasks of a definition call."""
    prefixes = {"sfn": "states", "sagemakerruntime": "sagemaker"}
    found = set()
    for _, state in every_state(definition):
        if state["Type"] == "Task":
            *_, service, action = state["Resource"].split(":")
            found.add(f"{prefixes.get(service, service)}:{action[0].upper()}{action[1:]}")
    return found


def as_template(definition: dict[str, Any], **substitutions: str) -> dict[str, Any]:
    """Return a CloudFormation template with the definition as it is, for cfn-lint."""
    properties = {
        "RoleArn": "arn:aws:iam::123456789012:role/shift",
        "DefinitionString": json.dumps(definition),
        "DefinitionSubstitutions": substitutions,
    }
    return {"Resources": {"Machine": {"Type": "AWS::StepFunctions::StateMachine", "Properties": properties}}}
