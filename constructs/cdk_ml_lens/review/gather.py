"""Gathers the findings of an assembly: our rules run now, and what its plugins reported."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from cdk_ml_lens.review import metadata, pillars, sidecar, validation
from cdk_ml_lens.review.assembly import Assembly, Sheet
from cdk_ml_lens.review.entries import Entry, Place
from cdk_ml_lens.review.evaluation import Hit, evaluate
from cdk_ml_lens.review.rule import PACK, Rule
from cdk_ml_lens.review.validation import Verdict


def entries_of(assembly: Assembly, rules: Sequence[Rule]) -> list[Entry]:
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
    ours = [_of_hit(hit, sheets[hit.template_path]) for hit in evaluate(sheets, rules)]
    found = {(entry.name, entry.place.path) for entry in ours}
    others = [verdict for verdict in told if verdict.pack != PACK or _key(verdict) not in found]
    return [*(_told(entry, mine) for entry in ours), *_of_verdicts(others, assembly)]


def _located(verdict: Verdict, noted: sidecar.Sidecar) -> Verdict:
    given = verdict.acknowledgement
    if given is None:
        return verdict
    return replace(verdict, acknowledgement=replace(given, line=noted.line_of(given.at, given.rule)))


def _key(verdict: Verdict) -> tuple[str, str]:
    name = verdict.rule if verdict.detail is None else f"{verdict.rule}[{verdict.detail}]"
    return name, verdict.path


def _told(entry: Entry, verdicts: Mapping[tuple[str, str], Verdict]) -> Entry:
    verdict = verdicts.get((entry.name, entry.place.path))
    if verdict is None:
        return entry
    given = entry.acknowledgement if verdict.acknowledgement is None else verdict.acknowledgement
    return replace(entry, severity=verdict.severity, acknowledgement=given)


def _of_hit(hit: Hit, sheet: Sheet) -> Entry:
    rule = hit.rule
    resource = sheet.template.resource(hit.finding.logical_id)
    given = None if resource is None else metadata.acknowledgement(resource, rule.name(), hit.finding.detail)
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
        acknowledgement=given,
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
