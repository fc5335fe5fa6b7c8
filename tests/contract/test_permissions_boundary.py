"""Every role and user of every stack and example has the boundary that the context names."""

from __future__ import annotations

import importlib
import json
from pathlib import Path

import aws_cdk as cdk
import pytest

from app import STACKS, flags
from cdk_ml_lens.core.boundary import BOUNDARY_CONTEXT, bound_roles

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = sorted(path.stem for path in (ROOT / "examples").glob("*.py") if not path.stem.startswith("test_"))
ARN = "arn:aws:iam::111122223333:policy/TeamBoundary"
IDENTITIES = ("AWS::IAM::Role", "AWS::IAM::User")


@pytest.fixture
def app(tmp_path: Path) -> cdk.App:
    return cdk.App(context={**flags(), BOUNDARY_CONTEXT: ARN}, outdir=str(tmp_path / "cdk.out"))


def bounds(app: cdk.App) -> dict[str, object]:
    """Return the boundary of each role and user of the app, by stack and logical id."""
    bound_roles(app)
    found: dict[str, object] = {}
    for path in Path(app.synth().directory).rglob("*.template.json"):
        for id, resource in json.loads(path.read_text(encoding="utf-8"))["Resources"].items():
            if resource["Type"] in IDENTITIES:
                found[f"{path.stem}/{id}"] = resource.get("Properties", {}).get("PermissionsBoundary")
    return found


@pytest.mark.parametrize("name", sorted(STACKS))
def test_every_role_of_a_stack_is_bound(name: str, app: cdk.App) -> None:
    STACKS[name](app, name)
    found = bounds(app)
    assert found
    assert {id: arn for id, arn in found.items() if arn != ARN} == {}


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_role_of_an_example_is_bound(name: str, app: cdk.App) -> None:
    importlib.import_module(f"examples.{name}").build(app)
    found = bounds(app)
    assert found or name == "review"  # the one example without a role
    assert {id: arn for id, arn in found.items() if arn != ARN} == {}


def test_app_py_reads_the_context() -> None:
    source = (ROOT / "app.py").read_text(encoding="utf-8")
    assert source.index("bound_roles(app)") < source.index("app.synth()")
