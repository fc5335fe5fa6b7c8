"""The window of a drift monitor: its time, its plan, and the capture files in it."""

from __future__ import annotations

from dataclasses import dataclass

from cdk_ml_lens.core.asl import States, caught, choice, js, note, succeed, task
from cdk_ml_lens.monitoring.drift_schedule import DriftSchedule
from cdk_ml_lens.monitoring.drift_values import CaptureSource, DriftRules
from cdk_ml_lens.monitoring.processing import StatisticsJob

NAMESPACE = "CdkMlLens/Drift"  # model_src.drift.report
MOST_FILES = 3000
"""Capture files of a window: their names must fit into a variable, 256 KiB."""
_PAGE = 1000
# In UTC; capture files are named after minute and second, below a folder per hour.
_KEY = "[Y0001]/[M01]/[D01]/[H01]/[m01]-[s01]"
_NAME = "[Y0001]-[M01]-[D01]T[H01]-[m01]-[s01]Z"
_ISO = "[Y0001]-[M01]-[D01]T[H01]:[m01]:[s01]Z"
_MILLIS = "($given := $states.input; $millis := function($t) {{ $floor($toMillis($t) / 1000) * 1000 }}; {0})"
_UNTIL = "$exists($given.end) ? $millis($given.end) : $millis($exists($given.scheduled) ? $given.scheduled : $now()) - "


@dataclass(frozen=True, kw_only=True)
class DriftPlan:
    """What the states need, resolved to names and URIs.

    Parameters
    ----------
    monitor : str
        Value of the metrics' dimension ``Monitor``, and folder of the reports.
    job : StatisticsJob
        Judges windows.
    captures, rules, schedule
        As given.
    bucket_name : str
        Keeps baselines and reports.
    reports, baselines : str
        Their prefixes.
    """

    monitor: str
    job: StatisticsJob
    captures: CaptureSource
    rules: DriftRules
    schedule: DriftSchedule
    bucket_name: str
    reports: str
    baselines: str


def window_states(plan: DriftPlan, *, next: str) -> States:
    """Return the states from ``ReadWindow`` to the window's files, ``$keys``; without any the execution ends."""
    return {**_window(plan), **_list(plan, next), **_empty(plan)}


def _window(plan: DriftPlan) -> States:
    delay, length = plan.schedule.delay_minutes * 60_000, plan.schedule.every_minutes * 60_000
    until = f"({_UNTIL}{delay})"
    since = f"$exists($given.start) ? $millis($given.start) : {until} - {length}"
    return {
        "ReadWindow": note(
            since=js(_MILLIS.format(since)), until=js(_MILLIS.format(until)), keys=[], token="", next="NameWindow"
        ),
        "NameWindow": note(
            first=js(f"'{plan.captures.folder}' & $fromMillis($since, '{_KEY}')"),
            last=js(f"'{plan.captures.folder}' & $fromMillis($until, '{_KEY}')"),
            start=js(f"$fromMillis($since, '{_ISO}')"),
            end=js(f"$fromMillis($until, '{_ISO}')"),
            place=js(f"'{plan.reports}/{plan.monitor}/' & $fromMillis($since, '{_NAME}')"),
            next="ListCaptures",
        ),
    }


def _list(plan: DriftPlan, next: str) -> States:
    """List the captures by name, which is by time, page by page."""
    folder = plan.captures.folder
    found = f"[$states.result.Contents[Key < $last].$substringAfter(Key, '{folder}')]"
    request = {"Bucket": plan.captures.bucket.bucket_name, "Prefix": folder, "MaxKeys": _PAGE}
    catch = [caught("ListFailed", "ListCaptures", "Announce")]
    assign = {
        "keys": js(f"$append($keys, {found})"),
        "token": js(
            f"$exists($states.result.NextContinuationToken) and $count({found}) = {_PAGE}"
            " ? $states.result.NextContinuationToken : ''"
        ),
    }
    return {
        "ListCaptures": task(
            "aws-sdk:s3:listObjectsV2",
            {**request, "StartAfter": js("$first")},
            next="HasMore",
            catch=catch,
            assign=assign,
        ),
        "HasMore": choice(
            (f"$token != '' and $count($keys) < {MOST_FILES}", "ListMore"),
            ("$count($keys) = 0", "CountNothing"),
            default=next,
        ),
        "ListMore": task(
            "aws-sdk:s3:listObjectsV2",
            {**request, "ContinuationToken": js("$token")},
            next="HasMore",
            catch=catch,
            assign=assign,
        ),
    }


def _empty(plan: DriftPlan) -> States:
    """Say that there was no traffic: a processing job would fail without an input."""
    datum = {
        "MetricName": "Rows",
        "Value": 0,
        "Unit": "None",
        "Dimensions": [{"Name": "Monitor", "Value": plan.monitor}],
    }
    return {
        "CountNothing": task(
            "aws-sdk:cloudwatch:putMetricData",
            {"Namespace": NAMESPACE, "MetricData": [datum]},
            next="NoTraffic",
            catch=[caught("PublishFailed", "Publish", "Announce")],
        ),
        "NoTraffic": succeed(start=js("$start"), end=js("$end"), rows=0, drifted=False),
    }
