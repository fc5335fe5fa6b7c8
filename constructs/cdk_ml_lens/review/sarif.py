"""The review as SARIF 2.1.0, for code scanning: https://docs.oasis-open.org/sarif/sarif/v2.1.0/."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from cdk_ml_lens.review.baseline import Trend
from cdk_ml_lens.review.entries import Entry
from cdk_ml_lens.review.rule import Rule

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def render(
    entries: Sequence[Entry], rules: Sequence[Rule], *, version: str, folders: Mapping[str, str], trend: Trend | None
) -> str:
    """Return the text of the file.

    Parameters
    ----------
    entries : sequence of Entry
    rules : sequence of Rule
        Ours; all are described, found or not.
    version : str
        Version of this package.
    folders : mapping of str to str
        Folder of each app's assembly as the reader of the file sees it, relative: ``cdk.out``.
    trend : Trend, optional
        Fills in ``baselineState``.
    """
    described = _described(rules, entries)
    order = {rule["id"]: index for index, rule in enumerate(described)}
    fresh = None if trend is None else {entry.fingerprint for entry in trend.new}
    results = [_result(entry, order[entry.rule], folders[entry.place.app], fresh) for entry in entries]
    driver = {"name": "ml-lens", "semanticVersion": version, "rules": described}
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return f"{json.dumps({'$schema': SCHEMA, 'version': '2.1.0', 'runs': [run]}, indent=1, ensure_ascii=False)}\n"


def _described(rules: Sequence[Rule], entries: Sequence[Entry]) -> list[dict[str, Any]]:
    ours = {rule.name(): _our_rule(rule) for rule in rules}
    others = {entry.rule: _their_rule(entry) for entry in entries if entry.rule not in ours}
    return [*ours.values(), *others.values()]


def _our_rule(rule: Rule) -> dict[str, Any]:
    link = f"[Source]({rule.source})"
    return {
        "id": rule.name(),
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": rule.explanation},
        "help": {
            "text": f"{rule.explanation} {rule.fix} {rule.source}",
            "markdown": f"{rule.explanation}\n\n**Fix:** {rule.fix}\n\n{link}",
        },
        "helpUri": rule.source,
        "defaultConfiguration": {"level": rule.severity.value},
        "properties": {"tags": ["machine-learning-lens", *rule.practices]},
    }


def _their_rule(entry: Entry) -> dict[str, Any]:
    help_text = f"{entry.title} {entry.fix}".strip()
    return {
        "id": entry.rule,
        "shortDescription": {"text": entry.title},
        "help": {"text": help_text},
        "defaultConfiguration": {"level": entry.severity.value},
        "properties": {"tags": [entry.pack]},
    }


def _result(entry: Entry, index: int, folder: str, fresh: set[str] | None) -> dict[str, Any]:
    place = entry.place
    physical = {
        "artifactLocation": {"uri": quote(f"{folder}/{place.file}")},
        "region": {"startLine": place.line},
    }
    logical = {"fullyQualifiedName": place.path, "kind": "resource"}
    found: dict[str, Any] = {
        "ruleId": entry.rule,
        "ruleIndex": index,
        "level": entry.severity.value,
        "message": {"text": f"{entry.text} ({entry.name} at {place.path})"},
        "locations": [{"physicalLocation": physical, "logicalLocations": [logical]}],
        "partialFingerprints": {
            "mlLensFinding/v1": entry.fingerprint,
            "primaryLocationLineHash": f"{entry.fingerprint}:1",
        },
        "suppressions": _suppressions(entry),
    }
    if fresh is not None:
        found["baselineState"] = "new" if entry.fingerprint in fresh else "unchanged"
    return found


def _suppressions(entry: Entry) -> list[dict[str, Any]]:
    given = entry.acknowledgement
    if given is None:
        return []
    made: dict[str, Any] = {"kind": "inSource", "status": "accepted", "justification": given.reason}
    file, _, line = (given.line or "").rpartition(":")
    if file and line.isdigit():
        region = {"startLine": int(line)}
        made["location"] = {"physicalLocation": {"artifactLocation": {"uri": quote(file)}, "region": region}}
    return [made]
