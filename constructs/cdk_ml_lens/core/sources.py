"""Remembers which line acknowledged a finding; nothing crosses the jsii kernel until somebody asks."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from constructs import IConstruct

# By the kernel's name of the construct: a proxy of Python may be gone, and made anew, before anybody asks.
_LINES: dict[str, dict[str, str]] = {}
# Where acknowledgements are made on behalf of others: the line to read is the one that called there.
_HELPERS = frozenset(f"cdk_ml_lens.core.{name}" for name in ("grants", "nag", "tables", "typed"))


@dataclass(frozen=True, kw_only=True)
class Source:
    """The line that acknowledged or explained a finding.

    Parameters
    ----------
    path : str
        Construct that has the acknowledgement.
    rule : str
        Qualified id (``AwsSolutions::AwsSolutions-S1``), or a rule without pack where it was explained for several.
    line : str
        File relative to its source root, and line: ``cdk_ml_lens/iot/provisioning.py:58``.
    """

    path: str
    rule: str
    line: str


def note(construct: IConstruct, rule: str) -> None:
    """Note that ``rule`` is acknowledged on ``construct`` by the line that had it done: a grant, not what grants."""
    _LINES.setdefault(_name(construct), {})[rule] = _line(_beyond_helpers(sys._getframe(1)))


def noted(root: IConstruct) -> list[Source]:
    """Return what was noted on the constructs of a tree, in its order.

    Parameters
    ----------
    root : IConstruct
        An app, or any part of it. The tree is walked once, and each construct with a note asked for its path.
    """
    found = [(construct, _LINES.get(_name(construct))) for construct in root.node.find_all()]
    return [
        Source(path=path, rule=rule, line=line)
        for construct, lines in found
        if lines is not None
        for path in (construct.node.path,)
        for rule, line in lines.items()
    ]


def _name(construct: IConstruct) -> str:
    return str(construct.__jsii_ref__.ref)  # type: ignore[attr-defined]  # every object that jsii made has one


def _beyond_helpers(frame: FrameType) -> FrameType:
    while frame.f_globals.get("__name__") in _HELPERS and frame.f_back is not None:
        frame = frame.f_back
    return frame


def _line(frame: FrameType) -> str:
    module = str(frame.f_globals.get("__name__", ""))
    file = Path(frame.f_code.co_filename)
    parts = module.split(".")
    if parts[-1] != file.stem:  # __main__, or the __init__ of a package
        return f"{file.name}:{frame.f_lineno}"
    return f"{'/'.join(parts)}{file.suffix}:{frame.f_lineno}"
