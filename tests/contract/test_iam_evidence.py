"""The IAM evidence covers every right of each role that Lambda and Step Functions take, as the templates are now."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest

from cdk_ml_lens.review import statements
from tests.local.iam_proof import allowed, catalog, evidence, page

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def rows() -> list[dict[str, Any]]:
    return [{**row, "kind": role["kind"]} for role in evidence.read()["roles"] for row in role["proofs"]]


def test_the_committed_evidence_is_about_the_templates_as_they_are() -> None:
    committed = evidence.read()
    assert committed == evidence.document(evidence.known(committed))


def test_every_right_is_proven_or_allowed(rows: list[dict[str, Any]]) -> None:
    open_rows = {(row["kind"], row["action"], row["resource"]) for row in rows if row["outcome"] == "unproven"}
    assert not open_rows


def test_every_proof_names_a_test_that_exists_and_what_failed_without_the_right(rows: list[dict[str, Any]]) -> None:
    proven = [row for row in rows if row["outcome"] == "proven"]
    assert all(row["error"] for row in proven)
    for test in {row["test"] for row in proven}:
        path, name = test.split("[")[0].split("::")
        functions = {
            node.name for node in ast.parse((ROOT / path).read_text()).body if isinstance(node, ast.FunctionDef)
        }
        assert name in functions, test


def test_every_entry_of_the_allow_list_is_used(rows: list[dict[str, Any]]) -> None:
    rights = [(row["kind"], catalog.Right(action=row["action"], resource=row["resource"])) for row in rows]
    unused = [entry for entry in allowed.ALLOWED if not any(entry.covers(*right) for right in rights)]
    assert not unused


def test_no_statement_is_about_every_resource_but_those_of_the_list() -> None:
    found = {
        (setting, action)
        for setting, template in catalog.templates().items()
        for statement in statements.of(template)
        if statement.allows and "*" in statement.resources
        for action in statement.actions
        if not allowed.has_no_resource(action)
    }
    assert not found


def test_the_page_has_the_tables_of_the_evidence_and_of_the_list() -> None:
    text = page.PATH.read_text(encoding="utf-8")
    assert text == page.placed(text, evidence.read())
    assert all(table in text for table in page.tables(evidence.read()).values())
