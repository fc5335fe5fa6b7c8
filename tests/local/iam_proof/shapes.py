"""What a statement's resource is, whatever the stack calls it: `table/Ledger`, `bucket/objects`, `endpoint`."""

from __future__ import annotations

import re
from typing import Any

from cdk_ml_lens.review import intrinsics
from cdk_ml_lens.review.template import Template

# Parts of our constructs that stand next to others of their type; more telling than "table" or "queue".
PARTS = (
    "Ledger", "Windows", "DeadLetters", "Outcomes", "Store", "Claims", "Originals", "Reports", "Datasets", "Alerts",
)  # fmt: skip
_PART = re.compile("|".join(PARTS))
_REFERENCE = re.compile(r"^\$\{(\w+)(?:\.\w+)?\}(.*)$")
_PSEUDO = re.compile(r"\$\{AWS::\w+\}")
_ARN = re.compile(r"^arn:[^:]*:([^:]*):[^:]*:[^:]*:(.*)$")
_KEPT = re.compile(r"default$|StepFunctions\w+$")  # names that AWS gives


def shape(value: Any, template: Template) -> str:
    """Return the shape of one entry of ``Resource`` in a template.

    A reference is its type and the part of ours it is; what is in it follows. Of an ARN, service and names go.
    """
    text = _PSEUDO.sub("aws", intrinsics.text(value))
    if found := _REFERENCE.match(text):
        return _referred(found[1], found[2], template)
    if found := _ARN.match(text):
        return _bucket(found[2]) if found[1] == "s3" else _named(found[2])
    return text


def _referred(logical_id: str, rest: str, template: Template) -> str:
    resource = template.resource(logical_id)
    kind = "parameter" if resource is None else resource.type.split("::")[-1].lower()
    parts = _PART.findall(logical_id)
    name = f"{kind}/{parts[-1]}" if parts else kind
    if kind == "bucket":
        return f"{name}/objects" if rest else name
    return f"{name}{rest}"


def _bucket(rest: str) -> str:
    return "bucket/objects" if "/" in rest else "bucket"


def _named(rest: str) -> str:
    kind, _, name = rest.replace(":", "/", 1).partition("/")
    kept = _KEPT.match(name)
    return kind.lower() if kept is None else f"{kind.lower()}/{kept[0]}"
