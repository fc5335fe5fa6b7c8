"""The table of docs/compatibility.md is what this run established; the run prints it."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from tests.localstack import engine, evidence, laptop
from tests.localstack.conftest import ROOT
from tests.localstack.engine import Emulator

PAGE = ROOT / "docs" / "compatibility.md"
TABLE = re.compile(r"^\| resource type .*?(?=\n\n|\Z)", re.DOTALL | re.MULTILINE)


@pytest.fixture
def rows(emulator: Emulator, today: Path, made: set[str]) -> list[evidence.Row]:
    if emulator.runs_functions or not made:
        pytest.skip("the table is made when the tests of all stacks run on the free engine")
    base = engine.python()
    assert base is not None
    stubs, on_laptop = evidence.stubs_of(engine.environment(base)), laptop.types(today)
    return [
        evidence.Row(
            type=type,
            template=evidence.template_check(type),
            moto=evidence.on_moto(type),
            free="stub" if kind(type) in stubs | {"AWS::Lambda::Function"} else "real",
            laptop="real" if type in on_laptop else "unsupported",
        )
        for type in sorted(made)
    ]


def kind(type: str) -> str:
    """Return the type whose provider LocalStack's engine takes."""
    return "AWS::CloudFormation::CustomResource" if type.startswith("Custom::") else type


def test_the_page_has_the_table_of_this_run(rows: list[evidence.Row], capsys: pytest.CaptureFixture[str]) -> None:
    table = evidence.markdown(rows)
    with capsys.disabled():
        print(f"\n{table}")
    text = PAGE.read_text(encoding="utf-8")
    if os.environ.get("ML_LENS_WRITE") == "1":
        PAGE.write_text(TABLE.sub(lambda _: table.rstrip(), text), encoding="utf-8")
    found = TABLE.search(PAGE.read_text(encoding="utf-8"))
    assert found is not None
    assert found[0].strip() == table, "ML_LENS_WRITE=1 writes it"
