"""Reads values of a template whose intrinsic functions are not resolved yet."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

_PLACEHOLDER = re.compile(r"\$\{([^!}][^}]*)\}")


def intrinsic(value: Any) -> tuple[str, Any] | None:
    """Return function name and argument if ``value`` is an intrinsic function, else None."""
    if isinstance(value, dict) and len(value) == 1:  # JSON has no other mapping, and this is asked very often
        ((name, argument),) = value.items()
        if name == "Ref" or name.startswith("Fn::"):
            return name, argument
    return None


def is_known(value: Any) -> bool:
    """Tell whether nothing in ``value`` waits for CloudFormation."""
    if intrinsic(value) is not None:
        return False
    if isinstance(value, Mapping):
        return all(is_known(item) for item in value.values())
    return all(is_known(item) for item in value) if isinstance(value, list) else True


def at(value: Any, path: str, default: Any = None) -> Any:
    """Return what stands at a dotted path, ``VpcConfig.Subnets``.

    Returns
    -------
    object
        ``default`` where a step is absent; the function, reference or expression itself where a step is not known
        before deployment, so that it counts as given.
    """
    for name in path.split("."):
        if _waits(value):
            return value
        if not isinstance(value, Mapping) or name not in value:
            return default
        value = value[name]
    return default if value == {"Ref": "AWS::NoValue"} else value


def is_off(value: Any) -> bool:
    """Tell whether a switch is absent or false for certain."""
    return value is None or value is False or (isinstance(value, str) and value.lower() == "false")


def known_number(value: Any) -> float | None:
    """Return a number that a template may also write as text; None if it is not known before deployment."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        return float(value)
    except ValueError:
        return None


def surely_not(value: Any, wanted: Any) -> bool:
    """Tell whether ``value`` is known and is not ``wanted``; text counts as what it spells: ``"true"`` as True.

    What CloudFormation decides later (a parameter, ``Fn::If``) is not surely anything; ``AWS::NoValue`` is None.
    """
    if value == {"Ref": "AWS::NoValue"}:
        value = None
    return is_known(value) and str(value).lower() != str(wanted).lower()


def text(value: Any) -> str:
    """Return ``value`` as text; what CloudFormation fills in later stands as ``${LogicalId}`` or ``${LogicalId.Arn}``.

    ``Fn::Join`` and ``Fn::Sub`` are put together, every other function is written as its name.
    """
    found = intrinsic(value)
    if found is None:
        return value if isinstance(value, str) else json.dumps(value)
    return _WRITERS.get(found[0], lambda _: f"${{{found[0]}}}")(found[1])


def references(value: Any) -> Iterator[str]:
    """Yield the logical ids (and parameter names) that ``value`` refers to, in order, repeats included."""
    found = intrinsic(value)
    if found is not None and found[0] in ("Ref", "Fn::GetAtt", "Fn::Sub"):
        yield from (name.split(".")[0] for name in _PLACEHOLDER.findall(text(value)))
        value = found[1][1] if found[0] == "Fn::Sub" and isinstance(found[1], list) else None
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for item in items:
        yield from references(item)


def placeholders(text: str) -> list[str]:
    """Return what each ``${…}`` of a text names, without attributes: a logical id, a parameter, ``Fn::If``."""
    return [name.split(".")[0] for name in _PLACEHOLDER.findall(text)]


def document(value: Any) -> Any:
    """Parse JSON that a template holds as text, or as an object; placeholders stay inside the strings.

    Returns
    -------
    object or None
        None where it is no JSON: built at deployment, or broken.
    """
    if isinstance(value, Mapping) and intrinsic(value) is None:
        return value
    try:
        return json.loads(text(value))
    except ValueError:
        return None


def each_value(value: Any) -> list[Any]:
    """Return a list: AWS lets one value stand for a list of one."""
    if value is None:
        return []
    return list(value) if isinstance(value, list) else [value]


def _waits(value: Any) -> bool:
    """Tell whether a value comes later: from CloudFormation, a state machine's expression, a pipeline's parameter."""
    if isinstance(value, Mapping):
        return intrinsic(value) is not None or list(value) == ["Get"]
    return isinstance(value, str)


def _attribute(argument: Any) -> str:
    name = argument if isinstance(argument, str) else ".".join(text(part) for part in argument)
    return f"${{{name}}}"


def _joined(argument: Any) -> str:
    separator, parts = argument
    return text(separator).join(text(part) for part in parts) if isinstance(parts, list) else text(parts)


def _substituted(argument: Any) -> str:
    if isinstance(argument, str):
        return argument
    pattern, names = argument
    return _PLACEHOLDER.sub(lambda m: text(names[m[1]]) if m[1] in names else m[0], str(pattern))


_WRITERS = {
    "Ref": lambda name: f"${{{name}}}",
    "Fn::GetAtt": _attribute,
    "Fn::Join": _joined,
    "Fn::Sub": _substituted,
}
