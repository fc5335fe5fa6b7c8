"""A file beside the assembly's own: which packs ran, and which source lines acknowledged. The CDK keeps neither."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cdk_ml_lens.core import sources
from cdk_ml_lens.review import validation

if TYPE_CHECKING:
    from constructs import IConstruct

FILE = "ml-lens.json"
# What add_packs acknowledges on behalf of an explanation was not written there.
_GO_BETWEEN = "cdk_ml_lens/review/packs.py:"


@dataclass(frozen=True, kw_only=True)
class Sidecar:
    """What a synthesis noted for its report.

    Parameters
    ----------
    packs : tuple of str
        Packs that ran, those that found nothing included.
    lines : mapping of (str, str) to str
        Source line by construct path and rule.
    """

    packs: tuple[str, ...]
    lines: Mapping[tuple[str, str], str]

    def line_of(self, path: str, rule: str) -> str | None:
        """Return the line that acknowledged ``rule`` at a construct; None if nobody noted it."""
        exact = self.lines.get((path, rule))
        return exact if exact is not None else self.lines.get((path, validation.base(rule)))


def write(app: IConstruct, folder: Path, *, packs: Sequence[str]) -> None:
    """Note packs and source lines of an app that was synthesized into ``folder``.

    Parameters
    ----------
    app : IConstruct
    folder : Path
        Its cloud assembly.
    packs : sequence of str
        Names of the packs that were on.
    """
    noted = [
        {"path": one.path, "rule": one.rule, "line": one.line}
        for one in sources.noted(app)
        if not one.line.startswith(_GO_BETWEEN)
    ]
    text = json.dumps({"version": 1, "packs": list(packs), "sources": noted}, indent=1)
    (folder / FILE).write_text(f"{text}\n", encoding="utf-8")


def parse(document: Any) -> Sidecar:
    """Read what `write` wrote; an assembly without it has no packs that are known to have run, and no lines."""
    if not isinstance(document, Mapping):
        return Sidecar(packs=(), lines={})
    lines = {(str(one["path"]), str(one["rule"])): str(one["line"]) for one in document.get("sources", ())}
    return Sidecar(packs=tuple(map(str, document.get("packs", ()))), lines=lines)
