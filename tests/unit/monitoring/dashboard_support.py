"""Endpoints and monitors for the tests of the dashboard, and the widgets of a synthesized one."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import aws_cdk as cdk

from cdk_ml_lens import (
    AnswerCheck,
    ApprovedDeployment,
    CaptureSource,
    DriftMonitor,
    GroundTruth,
    QualityBound,
    QualityMonitor,
    QualityRules,
    SyntheticRequest,
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
