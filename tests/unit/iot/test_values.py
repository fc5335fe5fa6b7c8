"""Feature, Ingestion and Scoring: what the services refuse is refused at synth."""

from __future__ import annotations

import json

import aws_cdk as cdk
import pytest

from cdk_ml_lens import Feature, Ingestion, ModelEndpoint, PropError, Scoring
from cdk_ml_lens.iot.features import render_features


def test_features_render_in_the_models_order() -> None:
    rendered = json.loads(render_features([Feature(name="b", minimum=0), Feature(name="a", maximum=9.5)]))
    assert rendered == [
        {"name": "b", "minimum": 0, "maximum": None},
        {"name": "a", "minimum": None, "maximum": 9.5},
    ]


@pytest.mark.parametrize(
    ("props", "message"),
    [
        ({"name": "1st"}, "name must be a JSON field name for feature '1st', got '1st'"),
        ({"name": "a", "minimum": float("nan")}, "minimum must be finite"),
        ({"name": "a", "maximum": float("inf")}, "maximum must be finite"),
        ({"name": "a", "minimum": 2, "maximum": 1}, "minimum must be below 1"),
    ],
)
def test_fails_on_a_bad_feature(props: dict[str, object], message: str) -> None:
    with pytest.raises(PropError, match=message):
        Feature(**props)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("way", "props", "message"),
    [
        ("queued", {"batch": 0}, "batch must be between 1 and 10000 for queued ingestion, got 0"),
        ("queued", {"batch": 11, "window_seconds": 0}, "window_seconds must be at least 1 when batch is over 10"),
        ("queued", {"window_seconds": 301}, "window_seconds must be between 0 and 300"),
        ("queued", {"attempts": 0}, "attempts must be between 1 and 1000"),
        ("queued", {"max_concurrency": 1}, "max_concurrency must be between 2 and 1000"),
        ("streamed", {"retention_hours": 1}, "retention_hours must be between 24 and 8760"),
        ("direct", {"reserved_concurrency": 0}, "reserved_concurrency must be at least 1"),
        ("direct", {"retries": 3}, "retries must be between 0 and 2"),
    ],
)
def test_fails_on_ingestion_out_of_range(way: str, props: dict[str, int], message: str) -> None:
    with pytest.raises(PropError, match=message):
        getattr(Ingestion, way)(**props)


@pytest.mark.parametrize(
    ("props", "message"),
    [
        ({"features": []}, "features must name at least one feature"),
        ({"features": [Feature(name="a"), Feature(name="a")]}, "features must name each feature once"),
        ({"content_type": "image/png"}, "content_type must be one of"),
        ({"max_reading_bytes": 200_000}, "max_reading_bytes must be between 2 and 131072"),
        ({"remember_hours": 0}, "remember_hours must be between 1 and 336"),
    ],
)
def test_fails_on_bad_scoring(stack: cdk.Stack, props: dict[str, object], message: str) -> None:
    endpoint = ModelEndpoint.from_endpoint_name(stack, "model")
    with pytest.raises(PropError, match=message):
        Scoring(**{"endpoint": endpoint, "features": [Feature(name="a")], **props})  # type: ignore[arg-type]
