"""Entries of a report: every finding of every pack in one form, open or acknowledged, with the place it is at."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from cdk_ml_lens.review import pillars, sidecar, validation
from cdk_ml_lens.review.assembly import Assembly, Sheet
from cdk_ml_lens.review.evaluation import Hit, evaluate
from cdk_ml_lens.review.rule import PACK, Rule, Severity
from cdk_ml_lens.review.validation import Acknowledgement, Verdict


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a finding is.

    Parameters
    ----------
    app, stack : str
        Assembly, and construct path of the stack.
    path : str
        Construct path; the logical id where the assembly tells no path.
    logical_id : str
        Empty where a plugin names a construct that is no resource.
    type : str
        CloudFormation type; empty as above.
    file : str
        Template, relative to the assembly.
    line : int
        Line of the resource in it; 1 where there is no resource.
    """

    app: str
    stack: str
    path: str
    logical_id: str
    type: str
    file: str
    line: int


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One finding.

    Parameters
    ----------
    pack, rule : str
        ``AwsSolutions`` and ``AwsSolutions-IAM5``.
    detail : str, optional
        ``Resource::*``; default: the rule finds one thing per resource.
    severity : Severity
    title : str
        What the rule asks for, or what a pack says is wrong.
    message, fix : str
        What is wrong here and what to do; empty where the pack says no more.
    place : Place
    pillar : str
        Pillar of the Machine Learning Lens: ``Security``.
    practices : tuple of str
        Best practices of the Lens; only rules of ours name them.
    acknowledgement : Acknowledgement, optional
        Default: the finding is open.
    """

    pack: str
    rule: str
    detail: str | None
    severity: Severity
    title: str
    message: str
    fix: str
    place: Place
    pillar: str
    practices: tuple[str, ...]
    acknowledgement: Acknowledgement | None

    @property
    def name(self) -> str:
        """Rule with its detail, as packs write it."""
        return self.rule if self.detail is None else f"{self.rule}[{self.detail}]"

    @property
    def text(self) -> str:
        """Title and message."""
        return f"{self.title}: {self.message}" if self.message else self.title

    @property
    def fingerprint(self) -> str:
        """Name of this finding that stays when lines and messages change: 16 hexadecimal digits."""
        place = self.place
        return digest(place.app, place.stack, place.path, self.name)

    @property
    def kind(self) -> str:
        """Name of rule and reason: the same for one acknowledgement in many places."""
        given = self.acknowledgement
        return digest(self.rule, "" if given is None else given.reason)


def digest(*parts: str) -> str:
    """Return 16 hexadecimal digits that stand for some texts."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def of(assembly: Assembly, rules: Sequence[Rule]) -> list[Entry]:
    """Return the findings of an assembly: those of our rules, run now, and those that its plugins reported.

    Parameters
    ----------
    assembly : Assembly
    rules : sequence of Rule
        Ours. Where the app ran them too, severities and acknowledgements are those of the app.
    """
    noted = sidecar.parse(assembly.document(sidecar.FILE))
    told = [_located(verdict, noted) for verdict in validation.verdicts(assembly.document(validation.FILE))]
    mine = {_key(verdict): verdict for verdict in told if verdict.pack == PACK}
    sheets = {assembly.folder / sheet.file: sheet for sheet in assembly.sheets}
    entries = []
    for hit in evaluate(sheets, rules):
        entry = _of_hit(hit, sheets[hit.template_path])
        known = mine.pop((entry.name, entry.place.path), None)
        entries.append(entry if known is None else _told(entry, known))
    others = [verdict for verdict in told if verdict.pack != PACK]
    return [*entries, *_of_verdicts((*mine.values(), *others), assembly)]


def _located(verdict: Verdict, noted: sidecar.Sidecar) -> Verdict:
    given = verdict.acknowledgement
    if given is None:
        return verdict
    return replace(verdict, acknowledgement=replace(given, line=noted.line_of(given.at, given.rule)))


def _key(verdict: Verdict) -> tuple[str, str]:
    name = verdict.rule if verdict.detail is None else f"{verdict.rule}[{verdict.detail}]"
    return name, verdict.path


def _told(entry: Entry, verdict: Verdict) -> Entry:
    return replace(entry, severity=verdict.severity, acknowledgement=verdict.acknowledgement)


def _of_hit(hit: Hit, sheet: Sheet) -> Entry:
    rule = hit.rule
    return Entry(
        pack=PACK,
        rule=rule.name(),
        detail=hit.finding.detail,
        severity=rule.severity,
        title=rule.title,
        message=hit.finding.message,
        fix=rule.fix,
        place=_place(sheet, hit.finding.logical_id),
        pillar=pillars.of_practices(rule.practices),
        practices=rule.practices,
        acknowledgement=None,
    )


def _of_verdicts(verdicts: Iterable[Verdict], assembly: Assembly) -> Iterator[Entry]:
    for verdict in verdicts:
        yield Entry(
            pack=verdict.pack,
            rule=verdict.rule,
            detail=verdict.detail,
            severity=verdict.severity,
            title=verdict.message,
            message="",
            fix=verdict.fix,
            place=_place_of(verdict, assembly),
            pillar=pillars.of_rule(verdict.rule),
            practices=(),
            acknowledgement=verdict.acknowledgement,
        )


def _place_of(verdict: Verdict, assembly: Assembly) -> Place:
    """Return the place of a resource that is named by template and id, or by the path of its construct."""
    for sheet in assembly.sheets:
        if verdict.logical_id is not None and sheet.file == verdict.file:
            return _place(sheet, verdict.logical_id)
    above = [sheet for sheet in assembly.sheets if f"{verdict.path}/".startswith(f"{sheet.stack}/")]
    sheet = max(above, key=lambda one: len(one.stack), default=assembly.sheets[0])
    ids = [logical_id for logical_id, path in sheet.paths.items() if path == verdict.path and logical_id in sheet.lines]
    return _place(sheet, ids[0] if ids else "", path=verdict.path)


def _place(sheet: Sheet, logical_id: str, *, path: str = "") -> Place:
    resource = sheet.template.resource(logical_id)
    return Place(
        app=sheet.app,
        stack=sheet.stack,
        path=path or sheet.paths.get(logical_id, logical_id),
        logical_id=logical_id,
        type="" if resource is None else resource.type,
        file=sheet.file,
        line=sheet.lines.get(logical_id, 1),
    )
