"""One run of a step: snapshot, version, compute, gate, switch. What ends before the switch has published nothing."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ml_lens_etl import plan, publish, snapshot, steps
from ml_lens_etl.catalog import catalog_of
from ml_lens_etl.engine import Runner
from ml_lens_etl.manifest import Manifest, extents_of, files_of, rows_of, version_of
from ml_lens_etl.parquet import Extent, extent
from ml_lens_etl.plan import Task, Work
from ml_lens_etl.publish import Notify
from ml_lens_etl.quality import Measures, Rule, judge
from ml_lens_etl.request import Request
from ml_lens_etl.snapshot import Snapshot
from ml_lens_etl.steps import Account
from ml_lens_etl.store import store_of
from ml_lens_features.definition import FeatureSet
from ml_lens_features.normalise import Moments, Parameters
from ml_lens_features.split import Boundaries


def run(request: Request, *, engine: Runner, notify: Notify) -> dict[str, Any]:
    """Run a step and return its account.

    The same input gives the same version: a second run finds it complete, and only makes sure that it is the table.

    Raises
    ------
    DefinitionError, RuleError, LayoutError
        The feature set, a rule or the input's layout is not understood; nothing was computed.
    QualityError
        A rule failed or too many rows were quarantined; the batch lies in quarantine, the event was sent.
    """
    definition = FeatureSet.parse(request.feature_set)
    rules = [Rule.parse(text) for text in request.rules]
    taken = snapshot.take(catalog_of(request.source).location(request.source))
    if not taken.objects:
        nothing = {"in": 0, "out": 0, "quarantined": {}, "quality": [], "published": False, "unchanged": True}
        return {"step": request.step, "table": request.target, "version": None, **nothing}
    version = version_of(request, taken)
    prefix = f"{request.target_location}version={version}/"
    earlier = Manifest.read(request.target_location, version)
    if earlier is not None and earlier.complete(prefix):
        return publish.switch(request, earlier)
    tasks, parameters = _planned(request, definition, taken, version, engine)
    accounts = engine.run(steps.run_task, tasks)
    manifest = Manifest(
        version=version,
        step=request.step,
        engine=engine.name,
        source=taken.prefix,
        rows=rows_of(accounts),
        quality=_verdicts(request, rules, accounts),
        files=files_of(accounts, prefix),
        feature_set_sha256=plan.sha256(request.feature_set),
        parameters=parameters,
    )
    if manifest.failed:
        raise publish.refuse(request, manifest, [a.uri for a in accounts if a.uri is not None], notify)
    manifest.write(request.target_location)
    return publish.switch(request, manifest)


def _planned(
    request: Request, definition: FeatureSet, taken: Snapshot, version: str, engine: Runner
) -> tuple[list[Task], str]:
    """Return the tasks, and the version of the normalisation parameters that they use if they were fitted here."""
    known = extents_of(taken)
    work = Work(
        step=request.step,
        feature_set=request.feature_set,
        rules=request.rules,
        output=f"{request.target_location}version={version}/",
        refused=f"{request.quarantine}rows/version={version}/",
        boundaries=None if request.step == "clean" else _boundaries(taken, known),
    )
    for prefix in (work.output, work.refused):
        store_of(prefix).clear(prefix)  # of a run that did not come to its end
    overlap = {"clean": definition.cleaning.hold_seconds, "normalise": 0, "features": definition.overlap_seconds}
    tasks = plan.tasks(
        taken, work, overlap_seconds=overlap[request.step], rows_per_task=request.rows_per_task, known=known
    )
    if request.step != "normalise":
        return tasks, ""
    parameters = _fitted(tasks, definition, engine)
    store_of(request.artifacts).write(f"{request.artifacts}{parameters.version}.json", parameters.to_json().encode())
    work = replace(work, parameters=parameters.to_json())
    return [replace(task, work=work) for task in tasks], parameters.version


def _boundaries(taken: Snapshot, known: Mapping[str, Extent]) -> Boundaries:
    """Cut the whole table's time; the time column of each object is read where no manifest tells."""
    uris = [part.uri for parts in taken.devices.values() for part in parts]
    extents = [known.get(uri) or extent(uri) for uri in uris]
    first = min(each.first for each in extents if each.first is not None)
    last = max(each.last for each in extents if each.last is not None)
    return Boundaries.between(first, last)


def _fitted(tasks: Sequence[Task], definition: FeatureSet, engine: Runner) -> Parameters:
    moments: dict[str, dict[str, Moments]] = {}
    for device, found in sorted(engine.run(steps.fit_task, tasks), key=lambda each: each[0]):
        before = moments.get(device, {})
        moments[device] = {name: before.get(name, Moments()).plus(each) for name, each in found.items()}
    return Parameters.fitted(moments, definition.normalisation)


def _verdicts(request: Request, rules: Sequence[Rule], accounts: Sequence[Account]) -> list[dict[str, Any]]:
    measures = functools.reduce(Measures.plus, (account.measures for account in accounts), Measures())
    rows = rows_of(accounts)
    share = sum(rows["quarantined"].values()) / rows["in"] if rows["in"] else 0.0
    limit = request.max_quarantined_share
    return [
        *judge(rules, measures),
        {"rule": f"quarantined share <= {limit:g}", "passed": share <= limit, "value": share},
    ]
