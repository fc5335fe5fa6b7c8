"""EndpointDashboard: rows that what is given brings, lines and expressions."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_s3 as s3

from cdk_ml_lens import (
    DriftRules,
    EndpointDashboard,
    ModelArtifact,
    ModelEndpoint,
    ModelSource,
    Runbook,
    Variant,
)
from tests.unit.monitoring.dashboard_support import PAGE, Synth, body, deployment, graph, judge, named_endpoint, titles
from tests.unit.monitoring.drift_support import monitor


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
