"""Writes a review into a folder: one HTML page, CSV, SARIF."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from cdk_ml_lens.review import page, sarif, spreadsheet
from cdk_ml_lens.review.review import Review, package_version


def write(review: Review, out: Path, *, formats: Sequence[str], open_only: bool = False) -> list[Path]:
    """Write a review.

    Parameters
    ----------
    review : Review
    out : Path
        Folder; it is made if it is missing.
    formats : sequence of str
        Of `FORMATS`.
    open_only : bool
        Leave acknowledged findings out of the SARIF file: GitHub shows them as open alerts, whatever their
        ``suppressions`` say (https://github.com/github/codeql-action/issues/1230). Default: they are in it.

    Returns
    -------
    list of Path
        What was written: ``index.html``, ``report.csv``, ``report.sarif``.
    """
    out.mkdir(parents=True, exist_ok=True)
    shown = {"sarif": replace(review, entries=review.open)} if open_only else {}
    return [_write(shown.get(name, review), out, *_WRITERS[name]) for name in formats]


def _write(review: Review, out: Path, name: str, render: Callable[[Review], str]) -> Path:
    (out / name).write_text(render(review), encoding="utf-8", newline="\n")
    return out / name


def _sarif(review: Review) -> str:
    return sarif.render(
        review.entries,
        review.rules,
        version=package_version("cdk-ml-lens"),
        folders={assembly.name: assembly.name for assembly in review.assemblies},
        trend=review.trend,
    )


_WRITERS: Mapping[str, tuple[str, Callable[[Review], str]]] = MappingProxyType(
    {
        "html": ("index.html", page.render),
        "csv": ("report.csv", lambda review: spreadsheet.render(review.entries)),
        "sarif": ("report.sarif", _sarif),
    }
)
FORMATS = tuple(_WRITERS)
