"""DataLake with IAM enforced: a grant opens a zone or a table and nothing else; the key can be closed by role."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import boto3
import pytest
from aws_cdk import aws_iam as iam
from botocore.config import Config
from botocore.exceptions import ClientError

from cdk_ml_lens import Column, DataLake, Partition, Table, Zone
from cdk_ml_lens.local import LaptopCloud
from tests.local.conftest import Until

pytestmark = pytest.mark.laptop_cloud
As = Callable[[str, str], Any]
ROLES = ("RawReader", "TableReader", "Publisher", "Writer", "Analyst", "Outsider", "Greedy")
COLUMNS = [Column(name="a")]


def lake_stack() -> cdk.Stack:
    """Return a lake with a role per grant, and one that may read everything by IAM but was granted nothing."""
    stack = cdk.Stack(cdk.App(), "Governed")
    lake = DataLake(stack, "Lake", zones=[Zone(name="raw"), Zone(name="gold")])
    telemetry = lake.add_table(Table(name="telemetry", columns=COLUMNS, partitions=[Partition.date()]))
    features = lake.add_table(Table(name="features", columns=COLUMNS, versioned=True), zone="gold")
    roles = {name: iam.Role(stack, name, assumed_by=iam.AccountRootPrincipal()) for name in ROLES}
    lake.grant_read("raw", roles["RawReader"])
    telemetry.grant_read(roles["TableReader"])
    telemetry.grant_write(roles["Writer"])
    features.grant_publish(roles["Publisher"])
    lake.add_table(Table(name="events", columns=COLUMNS, format="json"))
    lake.add_table(Table(name="later", columns=COLUMNS, versioned=True))
    lake.grant_read("raw", roles["Analyst"])
    for name in ("Analyst", "Outsider"):
        lake.workgroup.grant_query(roles[name])
    for action in ("s3:GetObject", "kms:Decrypt"):
        roles["Greedy"].add_to_policy(iam.PolicyStatement(actions=[action], resources=["*"]))
    lake.restrict_key(*(role for name, role in roles.items() if name != "Greedy"))
    for name, role in roles.items():
        cdk.CfnOutput(stack, f"{name}Arn", value=role.role_arn)
    cdk.CfnOutput(stack, "Workgroup", value=lake.workgroup.name)
    for zone in lake.zones:
        cdk.CfnOutput(stack, f"{zone.name}Bucket", value=zone.bucket.bucket_name)
        cdk.CfnOutput(stack, f"{zone.name}Database", value=zone.database_name)
    return stack


@pytest.fixture(scope="module")
def outputs(guarded: LaptopCloud) -> dict[str, str]:
    """Deploy the lake and put an object into each zone, a table's, a quarantine's and another table's."""
    stack = lake_stack()
    folder = Path(cdk.Stage.of(stack).synth().directory)  # type: ignore[union-attr]
    found = dict(guarded.deploy(folder, stack.stack_name).outputs)
    s3 = guarded.client("s3")
    for key in ("telemetry/date=2026-01-01/a.parquet", "other/a.parquet"):
        s3.put_object(Bucket=found["rawBucket"], Key=key, Body=b"raw")
    s3.put_object(Bucket=found["rawBucket"], Key="events/1.json", Body=b'{"a": "x"}\n{"a": "y"}\n')
    for key in ("features/version=1/a.parquet", "_quarantine/features/a.parquet"):
        s3.put_object(Bucket=found["goldBucket"], Key=key, Body=b"gold")
    return found


@pytest.fixture(scope="module")
def as_role(guarded: LaptopCloud, outputs: dict[str, str]) -> As:
    """Return a function that makes a client of a service with the credentials of a role."""

    def client(role: str, service: str) -> Any:
        answer = guarded.client("sts").assume_role(RoleArn=outputs[f"{role}Arn"], RoleSessionName="test")["Credentials"]
        return boto3.client(
            service,  # type: ignore[call-overload]
            endpoint_url=guarded.endpoint_url,
            region_name=guarded.region,
            aws_access_key_id=answer["AccessKeyId"],
            aws_secret_access_key=answer["SecretAccessKey"],
            aws_session_token=answer["SessionToken"],
            config=Config(s3={"addressing_style": "path"}),
        )

    return client


def refused(call: Callable[..., Any], **parameters: Any) -> bool:
    with pytest.raises(ClientError, match="AccessDenied"):
        call(**parameters)
    return True


def test_objects_lie_encrypted_by_the_lakes_key(guarded: LaptopCloud, outputs: dict[str, str]) -> None:
    head = guarded.client("s3").head_object(Bucket=outputs["rawBucket"], Key="other/a.parquet")
    assert head["ServerSideEncryption"] == "aws:kms"


def test_a_reader_of_a_zone_reads_it_and_no_other(as_role: As, outputs: dict[str, str]) -> None:
    s3, glue = as_role("RawReader", "s3"), as_role("RawReader", "glue")
    assert s3.get_object(Bucket=outputs["rawBucket"], Key="other/a.parquet")["Body"].read() == b"raw"
    keys = {item["Key"] for item in s3.list_objects_v2(Bucket=outputs["rawBucket"])["Contents"]}
    assert {"other/a.parquet", "telemetry/date=2026-01-01/a.parquet"} <= keys
    tables = glue.get_tables(DatabaseName=outputs["rawDatabase"])["TableList"]
    assert {item["Name"] for item in tables} == {"telemetry", "events", "later"}
    gold = {"Bucket": outputs["goldBucket"]}
    assert refused(s3.get_object, **gold, Key="features/version=1/a.parquet")
    assert refused(s3.list_objects_v2, **gold)
    assert refused(glue.get_tables, DatabaseName=outputs["goldDatabase"])
    assert refused(s3.put_object, Bucket=outputs["rawBucket"], Key="other/b", Body=b"")


def test_a_reader_of_a_table_stays_below_its_prefix(as_role: As, outputs: dict[str, str]) -> None:
    s3, raw = as_role("TableReader", "s3"), {"Bucket": outputs["rawBucket"]}
    (found,) = s3.list_objects_v2(**raw, Prefix="telemetry/")["Contents"]
    assert s3.get_object(**raw, Key=found["Key"])["Body"].read() == b"raw"
    assert refused(s3.get_object, **raw, Key="other/a.parquet")
    assert refused(s3.list_objects_v2, **raw, Prefix="other/")
    assert refused(s3.list_objects_v2, **raw)


def test_a_writer_adds_what_it_cannot_read(as_role: As, outputs: dict[str, str]) -> None:
    s3, raw = as_role("Writer", "s3"), {"Bucket": outputs["rawBucket"]}
    s3.put_object(**raw, Key="telemetry/date=2026-01-02/b.parquet", Body=b"more")
    assert refused(s3.get_object, **raw, Key="telemetry/date=2026-01-02/b.parquet")
    assert refused(s3.put_object, **raw, Key="other/b.parquet", Body=b"")
    assert refused(s3.delete_object, **raw, Key="telemetry/date=2026-01-02/b.parquet")


def test_a_publisher_switches_its_table_and_no_other(as_role: As, outputs: dict[str, str]) -> None:
    s3, glue, gold = as_role("Publisher", "s3"), as_role("Publisher", "glue"), outputs["goldBucket"]
    table = glue.get_table(DatabaseName=outputs["goldDatabase"], Name="features")["Table"]
    assert table["StorageDescriptor"]["Location"] == f"s3://{gold}/features/version=none/"
    s3.put_object(Bucket=gold, Key="features/version=2/a.parquet", Body=b"new")
    storage = {**table["StorageDescriptor"], "Location": f"s3://{gold}/features/version=2/"}
    new = {"Name": "features", "StorageDescriptor": storage}
    glue.update_table(DatabaseName=outputs["goldDatabase"], TableInput=new)
    now = glue.get_table(DatabaseName=outputs["goldDatabase"], Name="features")["Table"]
    assert now["StorageDescriptor"]["Location"].endswith("/version=2/")
    s3.delete_object(Bucket=gold, Key="_quarantine/features/a.parquet")
    other = {"DatabaseName": outputs["rawDatabase"], "TableInput": {"Name": "telemetry"}}
    assert refused(glue.update_table, **other)


def answer(athena: Any, until: Until, outputs: dict[str, str], table: str) -> tuple[str, list[str]]:
    """Return how a query of a table's rows in the lake's workgroup ended, and their first column."""
    sql = f"SELECT a FROM {outputs['rawDatabase']}.{table} ORDER BY a"
    query = athena.start_query_execution(QueryString=sql, WorkGroup=outputs["Workgroup"])["QueryExecutionId"]

    def ended() -> Any:
        state = athena.get_query_execution(QueryExecutionId=query)["QueryExecution"]["Status"]["State"]
        return state if state in ("SUCCEEDED", "FAILED") else None

    state = until(ended)
    if state == "FAILED":
        return state, []
    rows = athena.get_query_results(QueryExecutionId=query)["ResultSet"]["Rows"][1:]
    return state, [row["Data"][0]["VarCharValue"] for row in rows]


def test_who_may_query_sees_only_granted_data(as_role: As, outputs: dict[str, str], until: Until) -> None:
    analyst, outsider = as_role("Analyst", "athena"), as_role("Outsider", "athena")
    assert answer(analyst, until, outputs, "events") == ("SUCCEEDED", ["x", "y"])
    assert answer(outsider, until, outputs, "events") == ("FAILED", [])


def test_a_table_of_which_nothing_is_published_is_empty(as_role: As, outputs: dict[str, str], until: Until) -> None:
    assert answer(as_role("Analyst", "athena"), until, outputs, "later") == ("SUCCEEDED", [])


def test_results_lie_encrypted_in_the_workgroups_bucket(guarded: LaptopCloud, outputs: dict[str, str]) -> None:
    settings = guarded.client("athena").get_work_group(WorkGroup=outputs["Workgroup"])["WorkGroup"]["Configuration"]
    bucket = settings["ResultConfiguration"]["OutputLocation"].split("/")[2]
    s3 = guarded.client("s3")
    keys = [item["Key"] for item in s3.list_objects_v2(Bucket=bucket, Prefix="results/")["Contents"]]
    assert keys
    assert {s3.head_object(Bucket=bucket, Key=key)["ServerSideEncryption"] for key in keys} == {"aws:kms"}


def test_a_role_that_the_key_does_not_name_reads_nothing(as_role: As, outputs: dict[str, str]) -> None:
    with pytest.raises(ClientError, match=r"AccessDenied.*kms:Decrypt"):
        as_role("Greedy", "s3").get_object(Bucket=outputs["rawBucket"], Key="other/a.parquet")
