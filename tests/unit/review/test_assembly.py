"""Cloud assemblies: stacks, nested stacks and stages are found, and the line of each resource."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cdk_ml_lens.review import assembly, lines
from cdk_ml_lens.review.assembly import AssemblyError
from cdk_ml_lens.review.review import package_version
from tests.unit.review.assemblies import plain, written


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return plain(tmp_path_factory.mktemp("plain") / "cdk.out")


def test_stacks_nested_stacks_and_stages_are_read(folder: Path) -> None:
    sheets = assembly.read(folder, name="app").sheets
    assert sorted(sheet.stack for sheet in sheets) == [
        "Plain",
        "Plain/Data",
        "Production/Plain",
        "Production/Plain/Data",
    ]
    assert all((folder / sheet.file).is_file() for sheet in sheets)


def test_every_resource_has_its_path_and_the_line_it_stands_on(folder: Path) -> None:
    for sheet in assembly.read(folder, name="app").sheets:
        text = (folder / sheet.file).read_text().splitlines()
        for logical_id in sheet.template.resources:
            assert sheet.paths[logical_id].startswith(f"{sheet.stack}/") or "NestedStack" in sheet.paths[logical_id]
            assert text[sheet.lines[logical_id] - 1].strip() == f'"{logical_id}": {{'


def test_an_assembly_without_metadata_is_read_by_template_and_path_metadata(tmp_path: Path) -> None:
    resource = {"Type": "AWS::S3::Bucket", "Metadata": {"aws:cdk:path": "Hand/Data/Resource"}}
    (sheet,) = assembly.read(written(tmp_path, {"Data1": resource, "Other": {"Type": "X"}}), name="app").sheets
    assert sheet.stack == "Hand"
    assert sheet.paths == {"Data1": "Hand/Data/Resource"}
    assert sheet.lines == {"Data1": 1, "Other": 1}


def test_lines_are_those_of_resources_only() -> None:
    template = {
        "Mappings": {"Model": {"Resources": {"x": "1"}}},
        "Resources": {"A": {"Type": 'quoted \\"{[', "Properties": {"B": {}}}, "B": {"Type": "T"}},
        "Outputs": {"A": {"Value": "}"}},
    }
    text = json.dumps(template, indent=1)
    found = lines.of_resources(text)
    assert list(found) == ["A", "B"]
    assert [text.splitlines()[line - 1].strip()[:4] for line in found.values()] == ['"A":', '"B":']


@pytest.mark.parametrize(
    ("manifest", "message"),
    [
        (None, "must be a cloud assembly, got .* without manifest.json; run `cdk synth`"),
        ("{", "manifest.json must be JSON"),
        ('{"artifacts": {}}', "must hold a stack"),
        (
            '{"artifacts": {"S": {"type": "aws:cloudformation:stack", "properties": {"templateFile": "S.json"}}}}',
            "S.json",
        ),
        (
            '{"artifacts": {"S": {"type": "aws:cloudformation:stack", "properties": {"templateFile": "S.yaml"}}}}',
            "JSON",
        ),
    ],
)
def test_fails_clearly_for_a_folder_that_is_no_assembly(tmp_path: Path, manifest: str | None, message: str) -> None:
    if manifest is not None:
        (tmp_path / "manifest.json").write_text(manifest)
    with pytest.raises(AssemblyError, match=message):
        assembly.read(tmp_path, name="app")


def test_fails_for_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(AssemblyError, match="which is no folder"):
        assembly.read(tmp_path / "nowhere", name="app")


def test_a_package_that_is_not_there_is_told_as_such() -> None:
    assert package_version("no-such-package-of-ours") == "not installed"
    assert package_version("aws-cdk-lib")[0].isdigit()
