"""With enforcement on: a principal reads the zone it was granted and no other, and needs the zone's key for it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from cdk_ml_lens.local import LaptopCloud
from tests.local.conftest import Until
from tests.local.support import policy

pytestmark = pytest.mark.laptop_cloud
As = Callable[..., Any]
ACCOUNT = "000000000000"
ZONES = ("zone-raw", "zone-modelled")


@pytest.fixture(scope="module")
def key(guarded: LaptopCloud) -> str:
    """Return the ARN of the key that both zones' buckets encrypt with by default; a row waits in each zone."""
    arn: str = guarded.client("kms").create_key(Policy=json.dumps(key_policy()))["KeyMetadata"]["Arn"]
    s3 = guarded.client("s3")
    for zone in ZONES:
        s3.create_bucket(Bucket=zone)
        rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": arn}}
        s3.put_bucket_encryption(Bucket=zone, ServerSideEncryptionConfiguration={"Rules": [rule]})
        s3.put_object(Bucket=zone, Key="rows/1.json", Body=b'{"n": 7}\n')
    return arn


def key_policy() -> dict[str, Any]:
    root = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
    return {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": root, "Action": "kms:*", "Resource": "*"}],
    }


@pytest.fixture
def as_user(guarded: LaptopCloud, request: pytest.FixtureRequest) -> As:
    """Return a function that makes the client of a new user who may do what is listed, and nothing else."""
    iam = guarded.client("iam")

    def make(service: str, *allowed: tuple[Any, Any]) -> Any:
        name = f"{request.node.name}-{len(iam.list_users()['Users'])}"[-60:].replace("[", "").replace("]", "")
        iam.create_user(UserName=name)
        iam.put_user_policy(UserName=name, PolicyName="own", PolicyDocument=json.dumps(policy(*allowed)))
        keys = iam.create_access_key(UserName=name)["AccessKey"]
        return boto3.client(
            service,  # type: ignore[call-overload]
            endpoint_url=guarded.endpoint_url,
            region_name=guarded.region,
            aws_access_key_id=keys["AccessKeyId"],
            aws_secret_access_key=keys["SecretAccessKey"],
            config=Config(s3={"addressing_style": "path"}),
        )

    return make


def objects(zone: str) -> str:
    return f"arn:aws:s3:::{zone}/*"


def test_a_granted_zone_is_read_and_the_others_are_not(as_user: As, key: str) -> None:
    s3 = as_user("s3", ("s3:GetObject", objects("zone-raw")), ("kms:Decrypt", key))
    assert s3.get_object(Bucket="zone-raw", Key="rows/1.json")["Body"].read() == b'{"n": 7}\n'
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.get_object(Bucket="zone-modelled", Key="rows/1.json")


def test_reading_an_encrypted_object_needs_the_key_too(as_user: As, key: str) -> None:
    other = f"arn:aws:kms:us-east-1:{ACCOUNT}:key/other"
    s3 = as_user("s3", ("s3:GetObject", objects("zone-raw")), ("kms:Decrypt", other))
    with pytest.raises(ClientError, match=r"AccessDenied.*kms:Decrypt") as refused:
        s3.get_object(Bucket="zone-raw", Key="rows/1.json")
    assert key in str(refused.value)
    assert s3.head_object(Bucket="zone-raw", Key="rows/1.json")["SSEKMSKeyId"] == key


@pytest.mark.parametrize("headers", [{}, {"ServerSideEncryption": "aws:kms"}])
def test_writing_needs_a_data_key_whether_the_bucket_or_the_caller_asks_for_encryption(
    as_user: As, key: str, headers: dict[str, str]
) -> None:
    named = {**headers, "SSEKMSKeyId": key} if headers else {}
    put = {"Bucket": "zone-raw", "Key": "new", "Body": b"1", **named}
    reader = as_user("s3", ("s3:PutObject", objects("zone-raw")), ("kms:Decrypt", key))
    with pytest.raises(ClientError, match=r"AccessDenied.*kms:GenerateDataKey"):
        reader.put_object(**put)
    writer = as_user("s3", ("s3:PutObject", objects("zone-raw")), ("kms:GenerateDataKey", key))
    assert writer.put_object(**put)["SSEKMSKeyId"] == key


def test_a_copy_needs_the_key_to_read_and_to_write(as_user: As, key: str) -> None:
    both = ("s3:GetObject", objects("zone-raw")), ("s3:PutObject", objects("zone-modelled"))
    copy = {"Bucket": "zone-modelled", "Key": "copied", "CopySource": {"Bucket": "zone-raw", "Key": "rows/1.json"}}
    with pytest.raises(ClientError, match=r"AccessDenied.*kms:Decrypt"):
        as_user("s3", *both, ("kms:GenerateDataKey", key)).copy_object(**copy)
    as_user("s3", *both, (["kms:Decrypt", "kms:GenerateDataKey"], key)).copy_object(**copy)


def test_a_key_policy_that_denies_wins(as_user: As, guarded: LaptopCloud) -> None:
    document = key_policy()
    deny = {"Effect": "Deny", "Principal": {"AWS": "*"}, "Action": "kms:Decrypt", "Resource": "*"}
    document["Statement"].append({**deny, "Condition": {"StringLike": {"kms:ViaService": "s3.*"}}})
    arn = guarded.client("kms").create_key(Policy=json.dumps(document))["KeyMetadata"]["Arn"]
    encryption = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": arn}
    guarded.client("s3").create_bucket(Bucket="locked")
    guarded.client("s3").put_object(Bucket="locked", Key="a", Body=b"1", **encryption)
    with pytest.raises(ClientError, match=r"AccessDenied.*kms:Decrypt"):
        as_user("s3", ("s3:*", "*"), ("kms:*", "*")).get_object(Bucket="locked", Key="a")


def tables(cloud: LaptopCloud) -> None:
    glue = cloud.client("glue")
    if "zones" in {item["Name"] for item in glue.get_databases()["DatabaseList"]}:
        return
    glue.create_database(DatabaseInput={"Name": "zones"})
    for zone in ZONES:
        serde = {"SerializationLibrary": "org.openx.data.jsonserde.JsonSerDe"}
        storage = {
            "Columns": [{"Name": "n", "Type": "int"}], "Location": f"s3://{zone}/rows/", "SerdeInfo": serde,
        }  # fmt: skip
        name = zone.replace("zone-", "")
        glue.create_table(DatabaseName="zones", TableInput={"Name": name, "StorageDescriptor": storage})


def asked(athena: Any, until: Until, table: str) -> dict[str, Any]:
    result = {"OutputLocation": "s3://zone-results/"}
    query = athena.start_query_execution(QueryString=f"SELECT n FROM zones.{table}", ResultConfiguration=result)

    def ended() -> dict[str, Any] | None:
        status: dict[str, Any] = athena.get_query_execution(QueryExecutionId=query["QueryExecutionId"])[
            "QueryExecution"
        ]["Status"]
        return status if status["State"] not in ("QUEUED", "RUNNING") else None

    finished: dict[str, Any] = until(ended)
    return finished


def test_a_query_reads_as_the_one_who_asks(as_user: As, guarded: LaptopCloud, key: str, until: Until) -> None:
    tables(guarded)
    guarded.client("s3").create_bucket(Bucket="zone-results")
    base = (
        ("athena:*", "*"),
        ("s3:PutObject", objects("zone-results")),
        ("s3:ListBucket", [f"arn:aws:s3:::{zone}" for zone in ZONES]),
        ("s3:GetObject", objects("zone-raw")),
    )
    catalog = ("glue:GetTable", "*")
    reader = as_user("athena", *base, catalog, ("kms:Decrypt", key))
    assert asked(reader, until, "raw")["State"] == "SUCCEEDED"
    assert "Permission denied on S3 path: s3://zone-modelled/" in asked(reader, until, "modelled")["StateChangeReason"]
    without_key = as_user("athena", *base, catalog)
    assert "Permission denied on S3 path: s3://zone-raw/" in asked(without_key, until, "raw")["StateChangeReason"]
    without_catalog = as_user("athena", *base, ("kms:Decrypt", key))
    assert "glue:GetTable" in asked(without_catalog, until, "raw")["StateChangeReason"]
    without_results = as_user("athena", ("athena:*", "*"), catalog, *base[2:], ("kms:Decrypt", key))
    assert (
        "Access denied when writing output to url: s3://zone-results/"
        in (asked(without_results, until, "raw")["StateChangeReason"])
    )


def test_a_missing_object_is_hidden_from_who_may_not_list_its_bucket(as_user: As, key: str) -> None:
    reading = ("s3:GetObject", "*")
    blind = as_user("s3", reading)
    with pytest.raises(ClientError, match=r"AccessDenied.*s3:ListBucket on resource: arn:aws:s3:::zone-raw"):
        blind.get_object(Bucket="zone-raw", Key="rows/none.json")
    lister = as_user("s3", ("s3:ListBucket", "*"))
    seeing = as_user("s3", reading, ("s3:ListBucket", "arn:aws:s3:::zone-raw"))
    with pytest.raises(ClientError, match="NoSuchKey"):
        seeing.get_object(Bucket="zone-raw", Key="rows/none.json")
    for request in (
        lambda: blind.get_object(Bucket="zone-none", Key="1"),
        lambda: lister.list_objects(Bucket="zone-none"),
    ):
        with pytest.raises(ClientError, match="NoSuchBucket"):
            request()
