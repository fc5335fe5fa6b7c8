"""Runs rules over the templates of a cloud assembly: pure functions, no CDK app needed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from cdk_ml_lens.review.rule import Finding, Rule
from cdk_ml_lens.review.template import Template

_TEMPLATE = ".template.json"


@dataclass(frozen=True, kw_only=True)
class Hit:
    """One finding with the rule that made it and the template it is in.

    Parameters
    ----------
    rule : Rule
    finding : Finding
    template_path : Path
    """

    rule: Rule
    finding: Finding
    template_path: Path

    @property
    def name(self) -> str:
        """Name of the finding in reports: ``MlLens-SM1``, or with its detail in brackets."""
        return self.rule.name(self.finding.detail)


def evaluate(template_paths: Iterable[str | Path], rules: Sequence[Rule]) -> list[Hit]:
    """Run rules over templates and the nested stacks below them; each file is parsed once.

    Parameters
    ----------
    template_paths : iterable of str or Path
        Templates of one app, so that a rule about what is missing can look into the app's other stacks.
    rules : sequence of Rule
        See `cdk_ml_lens.review.rules.every_rule`.

    Returns
    -------
    list of Hit
        By template, then rule, then place in the template.
    """
    templates = {path: _read(path) for path in _with_nested(map(Path, template_paths))}
    everything = tuple(templates.values())
    for template in everything:
        template.others = tuple(other for other in everything if other is not template)
    return [
        Hit(rule=rule, finding=finding, template_path=path)
        for path, template in templates.items()
        for rule in rules
        for finding in rule.check(template)
    ]


def _read(path: Path) -> Template:
    return Template(json.loads(path.read_text(encoding="utf-8")))


def _with_nested(paths: Iterable[Path]) -> Iterator[Path]:
    """Yield each template and, after it, those of its nested stacks, which are file assets of the stack."""
    for path in paths:
        yield path
        manifest = path.with_name(path.name.removesuffix(_TEMPLATE) + ".assets.json")
        if not manifest.exists():  # a synthesizer that publishes nothing
            continue
        files = json.loads(manifest.read_text(encoding="utf-8")).get("files", {}).values()
        names = dict.fromkeys(str(file.get("source", {}).get("path", "")) for file in files)
        yield from (path.with_name(name) for name in names if name.endswith(".nested" + _TEMPLATE))
