"""The widgets of an endpoint's dashboard, row by row."""

from __future__ import annotations

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch

from cdk_ml_lens.monitoring.dashboard_values import WatchedEndpoint
from cdk_ml_lens.monitoring.drift_monitor import NAMESPACE, DriftMonitor
from cdk_ml_lens.monitoring.quality_monitor import QualityMonitor

FULL, HALF, THIRD = 24, 12, 8
_HEIGHT = 6
_HOUR = cdk.Duration.hours(1)
_DAY = cdk.Duration.days(1)
_MICROSECONDS = cloudwatch.YAxisProps(label="µs", show_units=False, min=0)
_COUNT = cloudwatch.YAxisProps(show_units=False, min=0)
Widgets = list[cloudwatch.IWidget]


def alarms(shown: Sequence[tuple[cloudwatch.AlarmBase, str]]) -> Widgets:
    """The state of every alarm, and beside it the page to open."""
    rows = [f"| {alarm.alarm_name} | [open]({url}) |" for alarm, url in shown]
    table = "\n".join(["| Alarm | Runbook |", "| --- | --- |", *rows])
    states = [alarm for alarm, _ in shown]
    return [
        cloudwatch.AlarmStatusWidget(title="Alarms", alarms=states, width=HALF, height=_HEIGHT),
        cloudwatch.TextWidget(markdown=table, width=HALF, height=_HEIGHT),
    ]


def traffic(endpoint: WatchedEndpoint) -> Widgets:
    """Requests, errors and times of each variant."""
    errors = [("Invocation4XXErrors", "4xx"), ("Invocation5XXErrors", "5xx"), ("InvocationModelErrors", "model")]
    times = [("ModelLatency", "p50"), ("ModelLatency", "p99"), ("OverheadLatency", "p99")]
    variants = endpoint.variants
    return [
        _graph("Traffic by variant", [_served(endpoint, "Invocations", name, "Sum", name) for name in variants]),
        _graph(
            "Errors by variant",
            [_served(endpoint, metric, name, "Sum", f"{name} {kind}") for name in variants for metric, kind in errors],
        ),
        _graph(
            "Latency by variant",
            [
                _served(endpoint, metric, name, statistic, f"{name} {metric} {statistic}")
                for name in variants
                for metric, statistic in times
            ],
            axis=_MICROSECONDS,
        ),
    ]


def drift(monitor: DriftMonitor) -> Widgets:
    """Drift of each feature that the monitor has ever told of, found by search, and the verdicts."""
    rules = monitor.rules
    limits = [
        cloudwatch.HorizontalAnnotation(value=value, label=f"least {name} that counts", color=cloudwatch.Color.RED)
        for name, value in {"PSI": rules.least_psi, "JS": rules.least_js}.items()
    ]
    features = [_by_feature(monitor.name, name) for name in ("PSI", "JS")]
    verdicts = [monitor.metric(name) for name in ("DriftDetected", "Violations")]
    return [
        _graph("Drift by feature", features, width=HALF, limits=limits),
        _graph("Windows that drifted", verdicts, width=HALF // 2),
        _graph("Rows judged", [monitor.metric("Rows")], width=HALF // 2),
    ]


def quality(monitor: QualityMonitor) -> cloudwatch.GraphWidget:
    """Whether answers kept their bounds, and over how many labels that is known."""
    left = [monitor.metric("QualityViolated")]
    return _graph("Quality of answers", left, right=[monitor.metric("LabelledRows")])


def business(metrics: Sequence[cloudwatch.IMetric]) -> cloudwatch.GraphWidget:
    """What the answers are for."""
    return _graph("Business", metrics)


def cost(endpoint: WatchedEndpoint, monitor: DriftMonitor | None) -> Widgets:
    """What the bill grows with; prices differ by region and change, quantities are shown."""
    hours = [_instance_hours(endpoint, name, index) for index, name in enumerate(endpoint.variants)]
    rows: Widgets = [_graph("Instance hours, each hour", hours)]
    bucket = endpoint.capture_bucket
    if bucket is not None:
        size = cloudwatch.Metric(
            namespace="AWS/S3",
            metric_name="BucketSizeBytes",
            dimensions_map={"BucketName": bucket.bucket_name, "StorageType": "StandardStorage"},
            statistic="Average",
            period=_DAY,
        )
        rows.append(_graph("Captured traffic, bytes", [size]))
    if monitor is not None:
        started = monitor.machine.metric("ExecutionsStarted").with_(statistic="Sum", period=_DAY)
        rows.append(_graph("Monitoring runs, each day", [started]))
    return rows


def _graph(
    title: str,
    left: Sequence[cloudwatch.IMetric],
    *,
    right: Sequence[cloudwatch.IMetric] = (),
    width: int = THIRD,
    axis: cloudwatch.YAxisProps = _COUNT,
    limits: Sequence[cloudwatch.HorizontalAnnotation] = (),
) -> cloudwatch.GraphWidget:
    return cloudwatch.GraphWidget(
        title=title,
        left=list(left),
        right=list(right),
        width=width,
        height=_HEIGHT,
        left_y_axis=axis,
        left_annotations=list(limits),
    )


def _served(endpoint: WatchedEndpoint, metric: str, variant: str, statistic: str, label: str) -> cloudwatch.Metric:
    return cloudwatch.Metric(
        namespace="AWS/SageMaker",
        metric_name=metric,
        dimensions_map={"EndpointName": endpoint.endpoint_name, "VariantName": variant},
        statistic=statistic,
        label=label,
    )


def _by_feature(monitor: str, metric: str) -> cloudwatch.MathExpression:
    """Search, so that a feature that a later model adds is shown as well."""
    schema = f'{{{NAMESPACE},Feature,Monitor}} MetricName="{metric}" Monitor="{monitor}"'
    found = f"SEARCH('{schema}', 'Maximum', {_HOUR.to_seconds()})"
    return cloudwatch.MathExpression(expression=found, using_metrics={}, label=metric, period=_HOUR)


def _instance_hours(endpoint: WatchedEndpoint, variant: str, index: int) -> cloudwatch.MathExpression:
    """Each instance reports its CPU once a minute, so sixty samples are an instance hour.

    Source: https://docs.aws.amazon.com/sagemaker/latest/dg/monitoring-cloudwatch.html
    """
    samples = cloudwatch.Metric(
        namespace="/aws/sagemaker/Endpoints",
        metric_name="CPUUtilization",
        dimensions_map={"EndpointName": endpoint.endpoint_name, "VariantName": variant},
        statistic="SampleCount",
        period=_HOUR,
    )
    name = f"samples{index}"
    return cloudwatch.MathExpression(
        expression=f"{name} / 60", using_metrics={name: samples}, label=variant, period=_HOUR
    )
