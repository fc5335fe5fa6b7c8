"""EndpointDashboard: runbooks beside alarms, refusals; nag."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_s3 as s3

from cdk_ml_lens import (
    EndpointDashboard,
    PropError,
    Runbook,
)
from tests.unit.monitoring.dashboard_support import PAGE, Synth, body, deployment, graph, named_endpoint, titles
from tests.unit.monitoring.drift_support import baseline, bucket, monitor


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
