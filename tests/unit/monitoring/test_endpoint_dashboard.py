"""EndpointDashboard: rows that what is given brings, expressions, runbooks, refusals; nag."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_s3 as s3

from cdk_ml_lens import (
    AnswerCheck,
    ApprovedDeployment,
    CaptureSource,
    DriftMonitor,
    DriftRules,
    EndpointDashboard,
    GroundTruth,
    ModelArtifact,
    ModelEndpoint,
    ModelSource,
    PropError,
    QualityBound,
    QualityMonitor,
    QualityRules,
    Runbook,
    SyntheticRequest,
    Variant,
    WatchedEndpoint,
)
from tests.unit.monitoring.drift_support import baseline, bucket, monitor, registry
from tests.unit.templates import Template

Synth = Callable[[cdk.Stack], Template]
PAGE = "https://wiki.example.org/pumps"


def body(template: Template) -> dict[str, Any]:
    """Return the dashboard's body, tokens replaced by the logical ids that they name."""
    parts = template.only("AWS::CloudWatch::Dashboard")["DashboardBody"]["Fn::Join"][1]
    text = "".join(part if isinstance(part, str) else named(part) for part in parts)
    found: dict[str, Any] = json.loads(text)
    return found


def named(token: dict[str, Any]) -> str:
    ((_, target),) = token.items()
    return target if isinstance(target, str) else str(target[0])


def titles(template: Template) -> list[str]:
    shown = [widget["properties"].get("title", "") for widget in body(template)["widgets"]]
    return [title for title in shown if title]


def graph(template: Template, title: str) -> dict[str, Any]:
    (found,) = [item["properties"] for item in body(template)["widgets"] if item["properties"].get("title") == title]
    return dict(found)


def named_endpoint(**props: Any) -> WatchedEndpoint:
    return WatchedEndpoint(**{"endpoint_name": "pumps", "variants": ["primary"], **props})


def deployment(stack: cdk.Stack) -> ApprovedDeployment:
    request = SyntheticRequest(body={"features": [1, 2]}, expect=AnswerCheck(path="score", minimum=0))
    return ApprovedDeployment(stack, "Deployment", registry=registry(stack), verification=request)


def judge(stack: cdk.Stack) -> tuple[DriftMonitor, QualityMonitor]:
    base = baseline(stack, bucket=bucket(stack, "Reports"))
    captures = CaptureSource(bucket=bucket(stack, "Traffic"), endpoint_name="pumps", variant_name="primary")
    drift = monitor(stack, baseline=base, captures=captures)
    quality = QualityMonitor(
        stack,
        "Quality",
        captures=captures,
        labels=GroundTruth(bucket=bucket(stack, "Labels")),
        rules=QualityRules(bounds=[QualityBound(metric="recall", bound=0.8, direction="at_least")]),
        baseline=base,
    )
    return drift, quality


def test_minimal_shows_traffic_errors_latency_and_instance_hours(stack: cdk.Stack, synth: Synth) -> None:
    EndpointDashboard(stack, "Dashboard", endpoint=named_endpoint())
    template = synth(stack)
    assert titles(template) == [
        "Traffic by variant",
        "Errors by variant",
        "Latency by variant",
        "Instance hours, each hour",
    ]
    assert "DashboardName" not in template.only("AWS::CloudWatch::Dashboard")
    assert body(template)["start"] == "-P1D"


def test_full_has_a_row_for_each_thing_that_is_given(stack: cdk.Stack, synth: Synth) -> None:
    drift, quality = judge(stack)
    EndpointDashboard(
        stack,
        "Dashboard",
        endpoint=deployment(stack),
        drift=drift,
        quality=quality,
        business=[cloudwatch.Metric(namespace="Pumps", metric_name="OutagesAvoided")],
        runbooks=[Runbook(url=PAGE, of=[drift, quality])],
        dashboard_name="pumps",
        shown_hours=72,
    )
    template = synth(stack)
    assert titles(template) == [
        "Alarms",
        "Traffic by variant",
        "Errors by variant",
        "Latency by variant",
        "Drift by feature",
        "Windows that drifted",
        "Rows judged",
        "Quality of answers",
        "Business",
        "Instance hours, each hour",
        "Captured traffic, bytes",
        "Monitoring runs, each day",
    ]
    assert template.only("AWS::CloudWatch::Dashboard")["DashboardName"] == "pumps"
    assert body(template)["start"] == "-P3D"
    assert "OutagesAvoided" in graph(template, "Business")["metrics"][0]


def test_each_variant_has_its_own_lines(stack: cdk.Stack, synth: Synth) -> None:
    artifact = ModelArtifact.from_bucket(s3.Bucket.from_bucket_name(stack, "Models", "models"), "m.tar.gz")
    endpoint = ModelEndpoint(
        stack,
        "Endpoint",
        variants=[Variant(name=name, model=ModelSource.sklearn(artifact)) for name in ("blue", "green")],
    )
    EndpointDashboard(stack, "Dashboard", endpoint=endpoint)
    template = synth(stack)
    traffic = graph(template, "Traffic by variant")["metrics"]
    assert [line[5] for line in traffic] == ["blue", "green"]
    assert all(line[:2] == ["AWS/SageMaker", "Invocations"] and line[6]["stat"] == "Sum" for line in traffic)
    errors = [line[6]["label"] for line in graph(template, "Errors by variant")["metrics"]]
    assert errors == ["blue 4xx", "blue 5xx", "blue model", "green 4xx", "green 5xx", "green model"]
    times = [line[6]["label"] for line in graph(template, "Latency by variant")["metrics"]]
    assert len(times) == 6
    hours = graph(template, "Instance hours, each hour")["metrics"]
    assert [line[0]["expression"] for line in hours if isinstance(line[0], dict)] == ["samples0 / 60", "samples1 / 60"]
    samples = [line for line in hours if isinstance(line[0], str)]
    assert [(line[1], line[6]["stat"], line[6]["period"]) for line in samples] == [
        ("CPUUtilization", "SampleCount", 3600)
    ] * 2


def test_drift_of_features_is_found_by_a_search_for_this_monitor(stack: cdk.Stack, synth: Synth) -> None:
    drift = monitor(stack, rules=DriftRules(least_psi=0.25, least_js=0.15))
    EndpointDashboard(stack, "Dashboard", endpoint=named_endpoint(), drift=drift)
    template = synth(stack)
    shown = graph(template, "Drift by feature")
    searches = [line[0]["expression"] for line in shown["metrics"]]
    schema = "{CdkMlLens/Drift,Feature,Monitor}"
    assert searches == [
        f"SEARCH('{schema} MetricName=\"{name}\" Monitor=\"{drift.name}\"', 'Maximum', 3600)" for name in ("PSI", "JS")
    ]
    limits = {item["label"]: item["value"] for item in shown["annotations"]["horizontal"]}
    assert limits == {"least PSI that counts": 0.25, "least JS that counts": 0.15}
    verdicts = graph(template, "Windows that drifted")["metrics"]
    assert [line[:4] for line in verdicts] == [
        ["CdkMlLens/Drift", name, "Monitor", drift.name] for name in ("DriftDetected", "Violations")
    ]


def test_every_alarm_has_its_runbook_beside_it(stack: cdk.Stack, synth: Synth) -> None:
    drift = monitor(stack)
    own = cloudwatch.Metric(namespace="Pumps", metric_name="Wrong").create_alarm(
        stack, "Wrong", threshold=1, evaluation_periods=1
    )
    runbooks = [Runbook(url=f"{PAGE}/drift", of=[drift]), Runbook(url=f"{PAGE}/all", of=[own, drift])]
    EndpointDashboard(stack, "Dashboard", endpoint=named_endpoint(), runbooks=runbooks)
    template = synth(stack)
    alarms = {id for id in template.of_type("AWS::CloudWatch::Alarm") if not id.startswith("Baseline")}
    assert len(alarms) == 3
    assert set(graph(template, "Alarms")["alarms"]) == alarms
    (text,) = [item["properties"]["markdown"] for item in body(template)["widgets"] if item["type"] == "text"]
    rows = dict(re.findall(r"^\| (\w+) \| \[open\]\((.+)\) \|$", text, re.MULTILINE))
    assert set(rows) == alarms
    assert {id: page.rsplit("/", 1)[1] for id, page in rows.items()} == {
        id: "drift" if id.startswith("Monitor") else "all" for id in alarms
    }


def test_captures_of_a_deployment_are_a_cost_driver(stack: cdk.Stack, synth: Synth) -> None:
    made = deployment(stack)
    EndpointDashboard(stack, "Dashboard", endpoint=made)
    (size,) = graph(synth(stack), "Captured traffic, bytes")["metrics"]
    assert size[:2] == ["AWS/S3", "BucketSizeBytes"]
    assert size[3].startswith("Deployment")


def test_rows_of_ones_own_come_last(stack: cdk.Stack, synth: Synth) -> None:
    made = EndpointDashboard(stack, "Dashboard", endpoint=named_endpoint())
    made.dashboard.add_widgets(cloudwatch.GraphWidget(title="Mine"))
    assert titles(synth(stack))[-1] == "Mine"
    assert stack.resolve(made.dashboard_name)


@pytest.mark.parametrize(
    ("props", "message"),
    [
        ({"dashboard_name": "two words"}, "dashboard_name must be 1 to 255 letters, digits, _ and -"),
        ({"dashboard_name": ""}, "dashboard_name must be 1 to 255"),
        ({"shown_hours": 0}, "shown_hours must be between 1 and 10920"),
    ],
)
def test_fails_on_what_cloudwatch_refuses(stack: cdk.Stack, props: dict[str, Any], message: str) -> None:
    with pytest.raises(PropError, match=re.escape(message)):
        EndpointDashboard(stack, "Dashboard", endpoint=named_endpoint(), **props)
    assert stack.node.try_find_child("Dashboard") is None


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: named_endpoint(endpoint_name=""), "endpoint_name must not be empty"),
        (lambda: named_endpoint(variants=[]), "variants must be 1 to 10 names"),
        (lambda: named_endpoint(variants=["a", "a"]), "variants must be different names"),
        (lambda: Runbook(url="http://wiki", of=[cdk.App()]), "url must be an https page"),
        (lambda: Runbook(url="https://wiki/a (b)", of=[cdk.App()]), "url must be an https page"),
        (lambda: Runbook(url=PAGE, of=[]), "of must name an alarm"),
    ],
)
def test_fails_on_values_that_show_nothing(make: Callable[[], object], message: str) -> None:
    with pytest.raises(PropError, match=re.escape(message)):
        make()


def test_fails_on_a_runbook_without_alarms(stack: cdk.Stack) -> None:
    empty = s3.Bucket.from_bucket_name(stack, "Empty", "empty")
    with pytest.raises(PropError, match=r"of must have alarms.*make the dashboard after its alarms"):
        EndpointDashboard(stack, "D", endpoint=named_endpoint(), runbooks=[Runbook(url=PAGE, of=[empty])])


def test_fails_on_more_alarms_than_a_widget_takes(stack: cdk.Stack) -> None:
    metric = cloudwatch.Metric(namespace="Pumps", metric_name="Wrong")
    alarms = [metric.create_alarm(stack, f"A{i}", threshold=i, evaluation_periods=1) for i in range(101)]
    with pytest.raises(PropError, match="runbooks must have at most 100 alarms"):
        EndpointDashboard(stack, "D", endpoint=named_endpoint(), runbooks=[Runbook(url=PAGE, of=alarms)])


def test_nag_is_clean(stack: cdk.Stack, nag: Callable[[cdk.Stack], list[str]]) -> None:
    drift = monitor(stack, baseline=baseline(stack, bucket=bucket(stack, "Reports")))
    runbooks = [Runbook(url=PAGE, of=[drift])]
    EndpointDashboard(stack, "Dashboard", endpoint=deployment(stack), drift=drift, runbooks=runbooks)
    assert nag(stack) == []
