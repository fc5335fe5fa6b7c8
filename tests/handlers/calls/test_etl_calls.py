"""The ETL jobs and the notebook's idle stop on moto; Feature Store's runtime by a Stubber, because moto lacks it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from jobs import put_features, run_step
from ml_lens_etl import catalog, store
from ml_lens_etl.catalog import GlueCatalog
from ml_lens_etl.store import S3Store
from model_src.workbench import idle_stop
from tests.calls.trouble import stubbed
from tests.handlers.calls.cases import DONE, Case, account, raised, troubles

REGION = "us-east-1"
PRINTED = "printed, the refusal itself is raised"


@pytest.fixture
def lake() -> Iterator[S3Store]:
    with account(REGION):
        client = boto3.client("s3", region_name=REGION)
        client.create_bucket(Bucket="lake")
        client.put_object(Bucket="lake", Key="a/1", Body=b"one")
        yield S3Store(client)


WAYS: dict[str, Callable[[S3Store], Any]] = {
    "entries": lambda lake: lake.entries("s3://lake/a/"),
    "source": lambda lake: lake.source("s3://lake/a/1"),
    "read": lambda lake: lake.read("s3://lake/a/1"),
    "write": lambda lake: lake.write("s3://lake/a/2", b"two"),
    "move": lambda lake: lake.move("s3://lake/a/1", "s3://lake/b/1"),
    "clear": lambda lake: lake.clear("s3://lake/a/"),
}
STORE = (
    Case(call="s3:ListObjectsV2", way="entries"),
    Case(call="s3:GetObject", way="source"),
    Case(call="s3:ListObjectsV2", way="read"),
    Case(call="s3:GetObject", way="read"),
    Case(call="s3:PutObject", way="write"),
    Case(call="s3:HeadObject", way="move"),
    Case(call="s3:CopyObject", way="move"),
    Case(call="s3:DeleteObject", way="move"),
    Case(call="s3:DeleteObject", way="clear"),
)


@pytest.mark.parametrize(("case", "kind"), troubles(STORE))
def test_the_store_raises_what_s3_refuses_and_loses_nothing(case: Case, kind: str, lake: S3Store) -> None:
    case.meet(kind, lambda: raised(lambda: WAYS[case.way](lake), ClientError))
    found = {entry.uri for entry in lake.entries("s3://lake/")}
    assert kind == "throttled once" or "s3://lake/a/1" in found


def test_a_folder_of_several_pages_is_listed_whole(lake: S3Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOTO_S3_DEFAULT_MAX_KEYS", "2")
    for number in range(2, 6):
        lake.write(f"s3://lake/a/{number}", b"x")
    assert len(lake.entries("s3://lake/a/")) == 5


CATALOG = (Case(call="glue:GetTable"), Case(call="glue:UpdateTable"))


@pytest.mark.parametrize(("case", "kind"), troubles(CATALOG))
def test_a_table_that_cannot_be_published_keeps_its_location(case: Case, kind: str) -> None:
    with account(REGION):
        client = boto3.client("glue", region_name=REGION)
        client.create_database(DatabaseInput={"Name": "lake"})
        client.create_table(
            DatabaseName="lake", TableInput={"Name": "clean", "StorageDescriptor": {"Location": "s3://lake/v1/"}}
        )
        tables = GlueCatalog(client)
        case.meet(kind, lambda: raised(lambda: tables.publish("lake.clean", "s3://lake/v2/"), ClientError))
        assert tables.location("lake.clean") == f"s3://lake/v{2 if kind == 'throttled once' else 1}/"


EVENT = Case(call="events:PutEvents", busy=PRINTED, refused=PRINTED)


@pytest.mark.parametrize(("case", "kind"), troubles([EVENT]))
def test_a_refusal_that_cannot_be_told_is_printed(case: Case, kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    with account(REGION):

        def act() -> str:
            run_step._notify("default")({"table": "clean"})
            return PRINTED if "event_not_sent" in capsys.readouterr().out else DONE

        case.meet(kind, act)


@pytest.mark.parametrize("code", [None, "ThrottlingException", "AccessForbidden"])
def test_records_are_put_one_after_the_other_and_an_error_ends_the_job(
    code: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A Stubber answers before the wire, so botocore's own eight tries are not seen here."""
    row = {"device_id": "d1", "event_time": datetime(2026, 1, 1, tzinfo=UTC), "reading_id": "r1", "mean": 1.5}
    monkeypatch.setattr(put_features, "newest_rows", lambda location: iter([row, row | {"device_id": "d2"}]))
    client = boto3.client("sagemaker-featurestore-runtime", region_name=REGION)
    arguments = ["--source", str(tmp_path), "--feature_group", "turbines", "--features", json.dumps(["mean"])]
    with Stubber(client) as stub:
        stub.add_response("put_record", {})
        if code is None:
            stub.add_response("put_record", {})
            assert put_features.main(arguments, client)["records"] == 2
        else:
            stub.add_client_error("put_record", code)
            told = stubbed("sagemaker-featurestore-runtime", "PutRecord", code, result="raised")
            with told, pytest.raises(ClientError, match=code):
                put_features.main(arguments, client)
        stub.assert_no_pending_responses()


@pytest.mark.parametrize(("case", "kind"), troubles([Case(call="sagemaker:StopNotebookInstance")]))
def test_an_idle_notebook_that_cannot_be_stopped_is_an_error_of_the_timer(
    case: Case, kind: str, tmp_path: Path
) -> None:
    with account(REGION):
        client = boto3.client("sagemaker", region_name=REGION)
        made = client.create_notebook_instance(
            NotebookInstanceName="bench", InstanceType="ml.t3.medium", RoleArn="arn:aws:iam::123456789012:role/any"
        )
        metadata = tmp_path / "metadata.json"
        metadata.write_text(json.dumps({"ResourceArn": made["NotebookInstanceArn"]}))
        case.meet(kind, lambda: raised(lambda: idle_stop.stop(metadata), ClientError))
        status = client.describe_notebook_instance(NotebookInstanceName="bench")["NotebookInstanceStatus"]
        assert (status == "Stopped") == (kind == "throttled once")


def test_s3_and_glue_are_those_of_the_region() -> None:
    with account(REGION):
        for made in (store._s3, catalog._glue):
            made.cache_clear()
            assert made()._client.meta.region_name == REGION
            made.cache_clear()
