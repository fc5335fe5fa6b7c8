"""Runs rules over the templates of a cloud assembly: pure functions, no CDK app needed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
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
    roots = [Path(path) for path in template_paths]
    tags = {folder: _stack_tags(folder) for folder in {root.parent for root in roots}}
    templates = {
        path: _read(path, tags[root.parent].get(root.name, frozenset()))
        for root in roots
        for path in _with_nested(root)
    }
    everything = tuple(templates.values())
    for template in everything:
        template.others = tuple(other for other in everything if other is not template)
    return [
        Hit(rule=rule, finding=finding, template_path=path)
        for path, template in templates.items()
        for rule in rules
        for finding in rule.check(template)
    ]


def _read(path: Path, stack_tags: frozenset[str]) -> Template:
    return Template(json.loads(path.read_text(encoding="utf-8")), stack_tags=stack_tags)


def _stack_tags(folder: Path) -> Mapping[str, frozenset[str]]:
    """Return the keys of each stack's tags by template: the manifest has them, CloudFormation hands them down."""
    manifest = folder / "manifest.json"
    artifacts = json.loads(manifest.read_text(encoding="utf-8")).get("artifacts", {}) if manifest.exists() else {}
    stacks = [artifact.get("properties", {}) for artifact in artifacts.values()]
    return {str(stack.get("templateFile")): frozenset(stack.get("tags", {})) for stack in stacks}


def _with_nested(path: Path) -> Iterator[Path]:
    """Yield a template and those of its nested stacks, which are file assets of the stack."""
    yield path
    manifest = path.with_name(path.name.removesuffix(_TEMPLATE) + ".assets.json")
    if not manifest.exists():  # a synthesizer that publishes nothing
        return
    files = json.loads(manifest.read_text(encoding="utf-8")).get("files", {}).values()
    names = dict.fromkeys(str(file.get("source", {}).get("path", "")) for file in files)
    yield from (path.with_name(name) for name in names if name.endswith(".nested" + _TEMPLATE))
