"""Every AWS call of the product is made in a test on moto: answered, over pages, throttled and refused."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import moto.backend_index
import pytest
from moto.sagemaker.responses import SageMakerResponse

from tests.calls import elsewhere, evidence, gaps, names, page, scan
from tests.calls.scan import ROOT, Call
from tests.calls.scopes import Module

ROWS: dict[Call, dict[str, Any]] = {
    Call(file=row["file"], service=row["service"], operation=row["operation"]): row for row in evidence.read()["calls"]
}
HERE = {call for call in scan.product().calls if elsewhere.of(call) is None}
# What a handler, a job or a command calls it for itself; `None`: not in a handler.
CALLERS = [(call, handler) for call in sorted(HERE) for handler in ROWS.get(call, {}).get("handlers") or [None]]


def scanned(tmp_path: Path, source: str, file: str = "lambda_src/handlers/new.py") -> scan.Found:
    path = tmp_path / "new.py"
    path.write_text(source)
    return scan.scan([Module(path=path, file=file)])


def test_every_call_of_the_product_can_be_told_and_every_entry_of_the_tables_is_needed() -> None:
    assert scan.product().unknown == []
    assert {*names.CLIENTS, *names.OTHERS, *names.CHOSEN} - scan.product().used == set()


def test_every_call_has_its_test_on_moto_or_its_entry_in_the_list() -> None:
    assert HERE - ROWS.keys() == set()
    assert ROWS.keys() - HERE == set(), "evidence of calls that are gone, or that the list has too"
    assert [call for call in HERE if ROWS[call]["answered"] is None] == []


def test_no_handler_or_job_is_on_the_list() -> None:
    listed = {call.file for call in scan.product().calls.keys() - HERE}
    assert all(file.startswith("constructs/cdk_ml_lens/local/") for file in listed)
    for entry in elsewhere.ELSEWHERE:
        assert any(map(entry.covers, scan.product().calls)), entry.files
        assert all((ROOT / test).exists() for test in entry.tests), entry.tests
        assert all((ROOT / file).exists() for file in entry.files), entry.files


@pytest.mark.parametrize("call", sorted(HERE & scan.product().paged), ids=str)
def test_what_goes_over_pages_was_read_over_more_than_one(call: Call) -> None:
    assert ROWS[call]["pages"] is not None


@pytest.mark.parametrize(("call", "handler"), CALLERS, ids=str)
def test_each_caller_was_throttled_and_refused_with_a_stated_result(call: Call, handler: str | None) -> None:
    errors = [error for error in ROWS[call]["errors"] if error["handler"] == handler and error["result"]]
    assert any(error["throttled"] and error["result"] != "retried" for error in errors)
    assert any(not error["throttled"] for error in errors)


def test_every_handler_with_a_client_of_aws_is_a_caller() -> None:
    folder = ROOT / "lambda_src" / "handlers"
    handlers = {path.stem for path in folder.glob("*.py")} - {"__init__"}
    without_aws = {"transform_readings"}  # Firehose hands it records and takes its answer
    assert {handler for _, handler in CALLERS if handler is not None} == handlers - without_aws
    for name in without_aws:
        assert "boto3" not in (folder / f"{name}.py").read_text()


def test_the_evidence_names_tests_that_exist() -> None:
    tests = {row[name] for row in ROWS.values() for name in ("answered", "pages") if row[name]}
    tests |= {error["test"] for row in ROWS.values() for error in row["errors"]}
    functions = {
        path: {node.name for node in ast.parse((ROOT / path).read_text()).body if isinstance(node, ast.FunctionDef)}
        for path in {test.split("::")[0] for test in tests}
    }
    for test in tests:
        path, name = test.split("[")[0].split("::")
        assert name in functions[path], test


def test_only_what_moto_lacks_is_answered_by_something_else() -> None:
    other = {call for call, row in ROWS.items() if "moto" not in row["how"]}
    added = {call for call in other if (call.service, call.operation) in gaps.ADDED}
    assert len(added) == len(gaps.ADDED)
    assert not hasattr(SageMakerResponse, "delete_model_package"), "moto has learned it: leave it out of gaps.py"
    known = {service for service, _ in moto.backend_index.backend_url_patterns}
    stubbed = {call.service for call in other - added}
    assert stubbed == {"sagemaker-featurestore-runtime"}
    assert not {service for service in known if "featurestore" in service}, "moto has learned it: use it"


def test_the_page_has_the_tables_of_the_evidence() -> None:
    text = page.PATH.read_text(encoding="utf-8")
    assert text == page.placed(text, evidence.read())
    assert all(table in text for table in page.tables(evidence.read()).values())


@pytest.mark.parametrize(
    "source",
    [
        "def run(thing):\n    thing.get_object(Bucket='b')\n    s3.put_object()",
        "def run(s3):\n    s3.get_objekt(Bucket='b')",
        "def run(s3, name):\n    getattr(s3, name)()",
        "def run(s3, name):\n    s3.get_paginator(name)",
        "def run(clients):\n    clients.surprise.put_object()\n    boto3.client('s3')",
    ],
)
def test_a_call_that_cannot_be_told_is_found(source: str, tmp_path: Path) -> None:
    assert len(scanned(tmp_path, source).unknown) == 1


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("def run(s3):\n    s3.get_object()", ("s3", "GetObject", False)),
        ("def run():\n    q, n = boto3.client('sqs'), 1\n    q.send_message()", ("sqs", "SendMessage", False)),
        ("def run():\n    return [boto3.client('sns').publish]", ("sns", "Publish", False)),
        ("def run(s3):\n    s3.get_paginator('list_objects_v2')", ("s3", "ListObjectsV2", True)),
        ("def run(s3):\n    s3.get_waiter('object_exists')", ("s3", "HeadObject", False)),
        ("def run(s3):\n    s3.list_objects_v2(ContinuationToken='t')", ("s3", "ListObjectsV2", True)),
        ("def _client():\n    return boto3.client('sqs')\ndef run():\n    _client().get_queue_url()",
         ("sqs", "GetQueueUrl", False)),
    ],
)  # fmt: skip
def test_a_call_is_attributed(source: str, found: tuple[str, str, bool], tmp_path: Path) -> None:
    seen = scanned(tmp_path, source)
    assert seen.unknown == []
    assert [(call.service, call.operation, call in seen.paged) for call in seen.calls] == [found]
