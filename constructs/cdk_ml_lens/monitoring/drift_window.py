"""The plan of a monitor of traffic, and the states that find the files of its window."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cdk_ml_lens.core.asl import State, States, caught, js, note, succeed, task
from cdk_ml_lens.monitoring.drift_schedule import DriftSchedule
from cdk_ml_lens.monitoring.drift_values import CaptureSource
from cdk_ml_lens.monitoring.file_list import FileList
from cdk_ml_lens.monitoring.processing import StatisticsJob
from cdk_ml_lens.monitoring.quality_values import GroundTruth

# In UTC; capture files are named after minute and second, below a folder per hour.
_KEY = "[Y0001]/[M01]/[D01]/[H01]/[m01]-[s01]"
_NAME = "[Y0001]-[M01]-[D01]T[H01]-[m01]-[s01]Z"
_ISO = "[Y0001]-[M01]-[D01]T[H01]:[m01]:[s01]Z"
_MILLIS = "($given := $states.input; $millis := function($t) {{ $floor($toMillis($t) / 1000) * 1000 }}; {0})"
_UNTIL = "$exists($given.end) ? $millis($given.end) : $millis($exists($given.scheduled) ? $given.scheduled : $now()) - "


@dataclass(frozen=True, kw_only=True)
class WindowPlan:
    """What the states of a monitor need, resolved to names and URIs.

    Parameters
    ----------
    monitor : str
        Value of the metrics' dimension ``Monitor``.
    job : StatisticsJob
        Judges windows.
    command : tuple of str
        Its command and the arguments that are the monitor's own.
    captures, schedule
        As given.
    labels : GroundTruth, optional
        What else is read. Default: nothing.
    bucket_name : str
        Keeps baselines and reports.
    reports, baselines : str
        Prefix of this monitor's reports, and of baselines.
    namespace, flag : str
        Of the metrics; the flag is the metric that is 1 for a bad window.
    told, verdict : str
        Detail type of the event of a bad window, and the field of outputs and events that says so.
    """

    monitor: str
    job: StatisticsJob
    command: tuple[str, ...]
    captures: CaptureSource
    schedule: DriftSchedule
    bucket_name: str
    reports: str
    baselines: str
    namespace: str
    flag: str
    told: str
    verdict: str
    labels: GroundTruth | None = None

    def files(self) -> list[FileList]:
        """Return what is listed: the window's captures, and labels that were written since its start."""
        traffic = FileList(
            name="Captures",
            bucket_name=self.captures.bucket.bucket_name,
            folder=self.captures.folder,
            first=f"'{self.captures.folder}' & $from",
            last=f"('{self.captures.folder}' & $to)",
        )
        if self.labels is None:
            return [traffic]
        folder = self.labels.folder
        truth = FileList(
            name="Labels",
            bucket_name=self.labels.bucket.bucket_name,
            folder=folder,
            first=f"'{folder}' & $from",
            last=f"'{folder}:'",  # sorts after every year
        )
        return [traffic, truth]


def window_states(plan: WindowPlan, *, next: str) -> States:
    """Return the states from ``ReadWindow`` to written manifests; without files the execution ends."""
    files = plan.files()
    lists = [one.start for one in files[1:]] + [f"Write{files[0].name}"]
    writes = [f"Write{one.name}" for one in files[1:]] + [next]
    states: States = _window(plan)
    for one, after, then in zip(files, lists, writes, strict=True):
        states |= one.states(next=after, empty=f"No{one.name}")
        states |= one.manifest(bucket_name=plan.bucket_name, next=then)
        states |= _empty(plan, one)
    return {
        **states,
        "NothingToJudge": succeed(start=js("$start"), end=js("$end"), rows=0, judged=False, **{plan.verdict: False}),
    }


def _window(plan: WindowPlan) -> States:
    delay, length = plan.schedule.delay_minutes * 60_000, plan.schedule.every_minutes * 60_000
    until = f"({_UNTIL}{delay})"
    since = f"$exists($given.start) ? $millis($given.start) : {until} - {length}"
    blank: dict[str, Any] = {one.variable: [] for one in plan.files()}
    blank |= {f"token{one.name}": "" for one in plan.files()}
    return {
        "ReadWindow": note(
            since=js(_MILLIS.format(since)), until=js(_MILLIS.format(until)), **blank, next="NameWindow"
        ),
        "NameWindow": {
            **note(
                to=js(f"$fromMillis($until, '{_KEY}')"),
                start=js(f"$fromMillis($since, '{_ISO}')"),
                end=js(f"$fromMillis($until, '{_ISO}')"),
                place=js(f"'{plan.reports}/' & $fromMillis($since, '{_NAME}')"),
                **{"from": js(f"$fromMillis($since, '{_KEY}')")},
                next="ListCaptures",
            )
        },
    }


def _empty(plan: WindowPlan, missing: FileList) -> States:
    """Say that there is nothing to judge: a processing job would fail without an input."""
    name = "Rows" if missing.name == "Captures" else "LabelledRows"
    dimensions = [{"Name": "Monitor", "Value": plan.monitor}]
    datum = {"MetricName": name, "Value": 0, "Unit": "None", "Dimensions": dimensions}
    state: State = task(
        "aws-sdk:cloudwatch:putMetricData",
        {"Namespace": plan.namespace, "MetricData": [datum]},
        next="NothingToJudge",
        catch=[caught("PublishFailed", "Publish", "Announce")],
    )
    return {f"No{missing.name}": state}
