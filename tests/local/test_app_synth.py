"""Apps are synthesized as the CDK CLI does it."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from cdk_ml_lens.local.app_synth import SynthError, node_directory, synthesize

APP = """
import json, os, pathlib
out = pathlib.Path(os.environ["CDK_OUTDIR"])
out.mkdir(parents=True)
keys = ["CDK_CONTEXT_JSON", "CDK_VALIDATION", "JSII_NODE", "PATH"]
(out / "seen.json").write_text(json.dumps({key: os.environ.get(key) for key in keys}))
print("something on the way")
"""


@pytest.fixture
def app_dir(tmp_path: Path) -> Path:
    folder = tmp_path / "app"
    folder.mkdir()
    (folder / "app.py").write_text(APP)
    (folder / "cdk.json").write_text(json.dumps({"app": "python app.py", "context": {"flag": True, "size": 1}}))
    return folder


def test_the_command_gets_outdir_and_merged_context(app_dir: Path, tmp_path: Path) -> None:
    out = synthesize(app_dir=app_dir, out=tmp_path / "out", context={"size": "2"})
    seen = json.loads((out / "seen.json").read_text())
    assert json.loads(seen["CDK_CONTEXT_JSON"]) == {"flag": True, "size": "2"}
    assert seen["CDK_VALIDATION"] == "false"


def test_the_wheels_node_comes_first(app_dir: Path, tmp_path: Path) -> None:
    node = node_directory()
    assert node is not None
    seen = json.loads((synthesize(app_dir=app_dir, out=tmp_path / "out") / "seen.json").read_text())
    assert seen["PATH"].split(os.pathsep)[0] == node
    assert Path(seen["JSII_NODE"]).exists()


def test_a_failing_app_shows_what_it_printed(app_dir: Path, tmp_path: Path) -> None:
    (app_dir / "app.py").write_text("raise SystemExit('weight must be at least 0, got -1')")
    with pytest.raises(SynthError, match=r"`python app.py` ended with 1:\nweight must be at least 0"):
        synthesize(app_dir=app_dir, out=tmp_path / "out")


def test_a_folder_without_an_app_is_named(tmp_path: Path) -> None:
    with pytest.raises(SynthError, match=r"app must be given or be in .*cdk\.json"):
        synthesize(app_dir=tmp_path, out=tmp_path / "out")
