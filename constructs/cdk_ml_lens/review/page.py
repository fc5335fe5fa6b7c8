"""The review as one HTML page: no other file, no request to anywhere, the same bytes for the same input."""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cdk_ml_lens.review import evidence, reference
from cdk_ml_lens.review.grouping import by_rule, groups
from cdk_ml_lens.review.review import Review, package_version
from cdk_ml_lens.review.summary import ORDER, Summary, summarize

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

_FOLDER = Path(__file__).parent / "page"


class MissingPackageError(RuntimeError):
    """Jinja2 is not installed."""


def render(review: Review) -> str:
    """Return the text of the page.

    Parameters
    ----------
    review : Review

    Raises
    ------
    MissingPackageError
        If Jinja2 is not installed: ``pip install cdk-ml-lens[review]``.
    """
    style, script = _read("report.css"), _read("report.js")
    policy = f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; img-src data:"
    view = _view(review, summarize(review))
    return str(_environment().get_template("report.html").render(style=style, script=script, policy=policy, **view))


def _view(review: Review, summary: Summary) -> Mapping[str, Any]:
    trend = review.trend
    fresh = frozenset() if trend is None else trend.reasons | {entry.fingerprint for entry in trend.new}
    reasons = groups(review.acknowledged, fresh=fresh, order=ORDER)
    return {
        "review": review,
        "summary": summary,
        "trend": trend,
        "open_groups": groups(review.open, fresh=fresh, order=ORDER),
        "reasons": reasons,
        "reasons_by_rule": by_rule(reasons),
        "names": _stack_names(summary),
        "found": _found(review),
        "practices": reference.practices(review.rules),
        "lifecycle": reference.lifecycle(),
        "listed": _listed(review),
        "inputs": _inputs(review),
    }


def _stack_names(summary: Summary) -> dict[str, str]:
    """Return what each stack is called: its name, with the app where two apps have one of the same name."""
    twice = Counter(row.stack for row in summary.rows)
    return {row.key: row.stack if twice[row.stack] == 1 else f"{row.stack} ({row.app})" for row in summary.rows}


def _found(review: Review) -> dict[str, tuple[int, int]]:
    """Return open and acknowledged findings by rule."""
    open_, given = Counter(entry.rule for entry in review.open), Counter(entry.rule for entry in review.acknowledged)
    return {name: (open_[name], given[name]) for name in {*open_, *given, *(rule.name() for rule in review.rules)}}


def _listed(review: Review) -> list[tuple[str, list[str]]]:
    """Return the actions that no emulator can show, by reason."""
    found: dict[str, set[str]] = {}
    for role in review.evidence.roles:
        for proof in role.proofs:
            if proof.outcome == evidence.ALLOWED:
                found.setdefault(proof.reason, set()).add(proof.action)
    return [(reason, sorted(actions)) for reason, actions in sorted(found.items())]


def _inputs(review: Review) -> tuple[tuple[str, str], ...]:
    sheets = [sheet for assembly in review.assemblies for sheet in assembly.sheets]
    return (
        ("cdk-ml-lens", package_version("cdk-ml-lens")),
        ("Rules of ours", f"{len(review.rules)}"),
        ("aws-cdk-lib", ", ".join(reference.cdk_versions(review.assemblies)) or "not told by the assemblies"),
        ("Cloud assemblies", f"{len(review.assemblies):,}"),
        ("Templates", f"{len(sheets):,}"),
        ("Findings", f"{len(review.entries):,}"),
        ("SHA-256 of the input", review.digest),
    )


@cache
def _environment() -> Environment:
    try:
        from jinja2 import Environment, FileSystemLoader, StrictUndefined
    except ImportError as missing:
        raise MissingPackageError("the HTML page needs Jinja2: pip install cdk-ml-lens[review]") from missing
    made = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters["breakable"] = _breakable
    made.filters["link"] = _link
    made.filters["number"] = lambda value: f"{value:,}"
    made.globals["raw"] = _raw
    return made


def _breakable(text: str) -> Markup:
    """Let a path break after its slashes, and nowhere else if it fits."""
    from markupsafe import Markup, escape

    return Markup("/<wbr>").join(escape(part) for part in str(text).split("/"))


def _link(text: str, url: str) -> Markup:
    """Link to a page, but to nothing else that a URL could be."""
    from markupsafe import Markup, escape

    if not url.startswith("https://"):
        return Markup(escape(text))  # noqa: S704  # escaped in the same line
    return Markup('<a href="{}" rel="noreferrer">{}</a>').format(url, text)


def _raw(text: str) -> Markup:
    """Put style and script of this package into the page as they are."""
    from markupsafe import Markup

    return Markup(text)  # noqa: S704  # files of this package, never input


@cache
def _read(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
