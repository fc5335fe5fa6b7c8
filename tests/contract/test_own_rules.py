"""Every stack and example under our own rules, each as an app of its own: nothing is left unacknowledged."""

from __future__ import annotations

import importlib
from pathlib import Path

import aws_cdk as cdk
import pytest

import app as product
from tests.contract.packs_app import EXAMPLES, found, verdicts

MODEL = {"lake": "true", "approval": "automatic"}


def left(app: cdk.App) -> set[tuple[str, str]]:
    report = verdicts(app, "MlLens").get("MlLens", {"pluginName": "MlLens", "violations": []})
    assert "error" not in (report.get("metadata") or {}), report["metadata"]
    return found(report)


@pytest.mark.parametrize("with_model", [False, True])
@pytest.mark.parametrize("name", sorted(product.STACKS))
def test_nothing_is_left_in_a_stack(name: str, with_model: bool, tmp_path: Path) -> None:
    model = tmp_path / "model.tar.gz"
    model.write_bytes(b"only the name and the hash matter at synth")
    given = MODEL | {"model_artifact": str(model), "green_artifact": str(model)} if with_model else {}
    app = cdk.App(context={**product.flags(), **given}, outdir=str(tmp_path / "cdk.out"))
    product.STACKS[name](app, f"Stack{name}")
    assert left(app) == set()


@pytest.mark.parametrize("name", EXAMPLES)
def test_nothing_is_left_in_an_example(name: str, tmp_path: Path) -> None:
    app = cdk.App(context=product.flags(), outdir=str(tmp_path / "cdk.out"))
    importlib.import_module(f"examples.{name}").build(app)
    assert left(app) == set()
