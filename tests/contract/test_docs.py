"""Documentation: its code is that of the examples, its links, names, commands and messages exist."""

from __future__ import annotations

import ast
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import aws_cdk as cdk
import pytest
from aws_cdk import aws_s3 as s3

import cdk_ml_lens
from tests.contract.pages import CONSTRUCT_PAGES, DOCS, PAGES, ROOT, named, python_blocks, region

SECTIONS = ["Overview", "Usage", "Defaults", "Permissions", "Alarms", "Cost", "Limits"]


@pytest.mark.parametrize("page", DOCS, ids=named)
def test_python_blocks_are_those_of_the_examples(page: Path) -> None:
    for place, code in python_blocks(page):
        assert place, f"no example is named before:\n{code}"
        assert code.strip() == region(place), place


def test_every_example_is_shown() -> None:
    shown = {place.partition("#")[0] for page in DOCS for place, _ in python_blocks(page)}
    assert {path.name for path in (ROOT / "examples").glob("*.py")} == shown


@pytest.mark.parametrize("page", CONSTRUCT_PAGES)
def test_construct_pages_have_the_same_sections(page: str) -> None:
    text = (ROOT / "docs" / f"{page}.md").read_text(encoding="utf-8")
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == SECTIONS


def test_the_error_of_the_core_page_is_what_is_raised() -> None:

    from cdk_ml_lens import InferenceImage, ModelArtifact, ModelSource, PropError, Variant

    bucket = s3.Bucket.from_bucket_name(cdk.Stack(cdk.App(), "S"), "B", "bucket")
    source = ModelSource(image=InferenceImage.sklearn(), artifact=ModelArtifact.from_bucket(bucket, "m.tar.gz"))
    with pytest.raises(PropError) as raised:
        Variant(name="blue", model=source, instance_type="m5.large", weight=-1)
    page = (ROOT / "docs" / "core.md").read_text(encoding="utf-8")
    (shown,) = re.findall(r"<!-- error: .+? -->\n```text\n(.*?)\n```", page, re.DOTALL)
    assert shown == str(raised.value)


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)]+)\)", page.read_text(encoding="utf-8")):
        if target.startswith("https://"):
            continue
        file, _, anchor = target.partition("#")
        path = (page.parent / file).resolve() if file else page
        assert path.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in headings}, target


def test_every_page_and_decision_is_linked_from_the_map() -> None:
    index = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    for page in (ROOT / "docs").glob("*.md"):
        assert page.name == "index.md" or f"({page.name})" in index, page.name
    decisions = (ROOT / "docs" / "decisions" / "README.md").read_text(encoding="utf-8")
    records = sorted((ROOT / "docs" / "decisions").glob("0*.md"))
    for number, record in enumerate(records, start=1):
        assert record.name.startswith(f"{number:04d}-")
        assert f"({record.name})" in decisions
        parts = re.findall(r"^## (.+)$", record.read_text(encoding="utf-8"), re.MULTILINE)
        assert parts == ["Context", "Decision", "Consequences"], record.name


def test_public_names_are_documented() -> None:
    """Every name of the finished floors, and every name that an example uses."""
    text = "\n".join(page.read_text(encoding="utf-8") for page in DOCS)
    used = {alias for example in (ROOT / "examples").glob("*.py") for alias in imported_names(example)}
    finished = {name for name, home in cdk_ml_lens._HOMES.items() if home.startswith(("iot.", "patterns."))}
    assert [name for name in sorted(used | finished) if not re.search(rf"\b{name}\b", text)] == []


def imported_names(example: Path) -> set[str]:
    """Return what an example imports from the flat package."""
    nodes = ast.walk(ast.parse(example.read_text(encoding="utf-8")))
    return {
        alias.name
        for node in nodes
        if isinstance(node, ast.ImportFrom) and node.module == "cdk_ml_lens"
        for alias in node.names
    }


def test_make_targets_and_commands_exist() -> None:
    from cdk_ml_lens.local import cli

    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    commands = set(re.findall(r"^    ([a-z]+) ", cli.parser().format_help(), re.MULTILINE))
    for page in PAGES:
        code = "\n".join(re.findall(r"`[^`\n]+`|```(?:bash|text)\n.*?```", page.read_text(encoding="utf-8"), re.DOTALL))
        assert set(re.findall(r"\bmake ([a-z-]+)", code)) <= targets, page
        assert set(re.findall(r"\bml-lens ([a-z]+)", code)) <= commands, page


def test_the_picture_is_a_drawing_that_the_readme_shows() -> None:
    drawing = ROOT / "docs" / "images" / "iot_inference.svg"
    root = ET.parse(drawing).getroot()
    assert root.tag.endswith("svg")
    assert root.get("viewBox")
    assert root.find("{http://www.w3.org/2000/svg}title") is not None
    assert "docs/images/iot_inference.svg" in (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_no_page_names_a_machine_path(page: Path) -> None:
    assert re.findall(r"(?<![\w.~}>/])/(?:home|root|work|Users|tmp)/", page.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("example", sorted((ROOT / "examples").glob("*.py")), ids=named)
def test_examples_use_only_public_names_or_modules_the_docs_name(example: Path) -> None:
    assert imported_names(example) <= set(cdk_ml_lens.__all__)
    docs = "\n".join(page.read_text(encoding="utf-8") for page in DOCS)
    for node in ast.walk(ast.parse(example.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("cdk_ml_lens."):
            assert all(alias.name in docs for alias in node.names), node.module
