"""The floors: imports go downwards only, runtime code and library never import each other, names are public."""

from __future__ import annotations

import ast
import importlib
import inspect
from pathlib import Path

import pytest

import cdk_ml_lens

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "constructs" / "cdk_ml_lens"
# From the ground up; each floor may import those before it. local/ may import everything, nothing imports local/.
FLOORS = [
    "core",
    "network",
    "iot",
    "lake",
    "training",
    "registry",
    "hosting",
    "monitoring",
    "patterns",
    "review",
    "local",
]
# The scoring rule needs an endpoint only as a protocol of core/, so iot stays below hosting.


def imported(path: Path) -> set[str]:
    """Return the dotted names that a file imports, those inside functions and TYPE_CHECKING included."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


@pytest.mark.parametrize("floor", [floor for floor in FLOORS if (PACKAGE / floor).is_dir()])
def test_imports_go_downwards(floor: str) -> None:
    allowed = set(FLOORS[: FLOORS.index(floor) + 1])
    for path in (PACKAGE / floor).rglob("*.py"):
        used = {name.split(".")[1] for name in imported(path) if name.startswith("cdk_ml_lens.")}
        assert used & set(FLOORS) <= allowed, f"{path.relative_to(ROOT)} imports {used - allowed}"


@pytest.mark.parametrize("tree", ["lambda_src", "model_src", "etl_src"])
def test_code_that_runs_in_aws_never_imports_the_library(tree: str) -> None:
    for path in (ROOT / tree).rglob("*.py"):
        used = {name.split(".")[0] for name in imported(path)}
        assert not used & {"cdk_ml_lens", "aws_cdk", "constructs"}, path


def test_library_imports_neither_the_sagemaker_sdk_nor_boto3_outside_local() -> None:
    for path in PACKAGE.rglob("*.py"):
        used = {name.split(".")[0] for name in imported(path)}
        assert "sagemaker" not in used, path
        if "local" not in path.relative_to(PACKAGE).parts:
            allowed = {"cdk_nag"} if path == PACKAGE / "review" / "packs.py" else set()  # imported when it is asked for
            assert not used & {"boto3", "botocore", "rich", "cdk_nag"} - allowed, path


def test_source_root_does_not_shadow_constructs() -> None:
    assert not (ROOT / "constructs" / "__init__.py").exists()
    import constructs

    assert ROOT not in Path(constructs.__file__).resolve().parents or ".venv" in constructs.__file__


def test_public_names_resolve_and_are_documented() -> None:
    assert sorted(cdk_ml_lens.__all__) == sorted(cdk_ml_lens._HOMES)
    for name in cdk_ml_lens.__all__:
        thing = getattr(cdk_ml_lens, name)
        assert inspect.getdoc(thing), name
        assert thing.__module__ == f"cdk_ml_lens.{cdk_ml_lens._HOMES[name]}"


def test_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'Nope'"):
        cdk_ml_lens.Nope  # noqa: B018


def test_constructs_take_at_most_seven_props() -> None:
    from constructs import Construct

    for name in cdk_ml_lens.__all__:
        thing = getattr(cdk_ml_lens, name)
        if isinstance(thing, type) and issubclass(thing, Construct):
            props = list(inspect.signature(thing.__init__).parameters.values())[3:]
            assert len(props) <= 7, name
            assert all(prop.kind is inspect.Parameter.KEYWORD_ONLY for prop in props), name


def test_every_module_says_what_it_is_for() -> None:
    for path in [*PACKAGE.rglob("*.py"), *(ROOT / "lambda_src").rglob("*.py"), *(ROOT / "stacks").glob("*.py")]:
        assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))), path


def test_importing_the_package_starts_no_kernel() -> None:
    import subprocess
    import sys

    code = "import sys, cdk_ml_lens, cdk_ml_lens.local.pytest_plugin; sys.exit('aws_cdk' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
    assert importlib.util.find_spec("aws_cdk") is not None
