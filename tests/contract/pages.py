"""Reads the documentation pages: their blocks, sections, and the regions of the examples that they show."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCS = sorted((ROOT / "docs").rglob("*.md"))
PAGES = [*DOCS, ROOT / "README.md"]
CONSTRUCT_PAGES = {
    "iot": ("device_fleet", "scoring_rule", "actions", "prediction_log"),
    "hosting": ("model_endpoint", "endpoint_shapes", "rollout"),
    "batch-transform": ("batch_transform",),
    "traffic-shift": ("traffic_shift",),
    "registry": ("registry",),
    "inference-api": ("inference_api",),
    "network": ("isolated_network",),
    "data-lake": ("data_lake",),
    "stream-ingest": ("stream_ingest",),
    "etl": ("etl_job",),
    "feature-group": ("feature_group",),
    "window-features": ("window_features",),
    "retraining": ("retraining",),
    "monitoring": ("drift_monitor",),
    "model-monitor": ("model_monitor",),
    "endpoint-dashboard": ("endpoint_dashboard",),
    "training": ("training_pipeline", "training_search"),
    "workbench": ("workbench",),
    "patterns": ("iot_inference",),
    "iot-data-lake": ("iot_data_lake",),
}
BLOCK = re.compile(r"(?:<!-- example: ([^\n]+) -->\n)?```python\n(.*?)```", re.DOTALL)


def named(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def section(page: str, title: str) -> str:
    """Return the text below one heading of the second level."""
    parts = re.split(r"^## (.+)$", (ROOT / "docs" / f"{page}.md").read_text(encoding="utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))[title]


def region(place: str) -> str:
    """Return the marked region ``file.py#name`` of an example, without its indentation."""
    file, _, name = place.partition("#")
    source = (ROOT / "examples" / file).read_text(encoding="utf-8")
    found = re.search(rf"^ *# region: {re.escape(name)}\n(.*?)^ *# endregion$", source, re.DOTALL | re.MULTILINE)
    assert found is not None, f"{file} has no region {name}"
    return textwrap.dedent(found.group(1)).strip()


def python_blocks(page: Path) -> list[tuple[str, str]]:
    """Return the place that is named before each Python block ("" if none is), and the block."""
    return BLOCK.findall(page.read_text(encoding="utf-8"))
