"""Firehose at its limits: a full buffer, values of odd types in a table, a configuration that cannot be followed."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

import polars as pl
import pytest

from cdk_ml_lens.local import LaptopCloud
from tests.local.conftest import Until
from tests.local.job_support import ROLE
from tests.local.server_probe import probe

pytestmark = pytest.mark.laptop_cloud
Bodies = Callable[[str], list[bytes]]
BUCKET = "firehose-limits"
COLUMNS = {"device_id": "string", "event_time": "timestamp", "place": "string"}


def stream(cloud: LaptopCloud, name: str, **destination: Any) -> None:
    """Make a stream that writes below its name."""
    cloud.client("s3").create_bucket(Bucket=BUCKET)
    config = {"BucketARN": f"arn:aws:s3:::{BUCKET}", "RoleARN": ROLE, "Prefix": f"{name}/", **destination}
    cloud.client("firehose").create_delivery_stream(DeliveryStreamName=name, ExtendedS3DestinationConfiguration=config)


def put(cloud: LaptopCloud, name: str, *bodies: bytes) -> None:
    cloud.client("firehose").put_record_batch(DeliveryStreamName=name, Records=[{"Data": body} for body in bodies])


@pytest.fixture
def bodies(laptop_cloud: LaptopCloud) -> Bodies:
    """Return a function that reads what a stream has delivered."""
    s3 = laptop_cloud.client("s3")

    def read(name: str) -> list[bytes]:
        listed = s3.list_objects_v2(Bucket=BUCKET, Prefix=f"{name}/").get("Contents", [])
        return [s3.get_object(Bucket=BUCKET, Key=item["Key"])["Body"].read() for item in listed]

    return read


def test_a_full_buffer_is_delivered_without_what_comes_later(
    laptop_cloud: LaptopCloud, bodies: Bodies, until: Until
) -> None:
    stream(laptop_cloud, "full", BufferingHints={"IntervalInSeconds": 60, "SizeInMBs": 1})
    put(laptop_cloud, "full", b"x" * 700_000, b"y" * 700_000)
    put(laptop_cloud, "full", b"later")
    until(lambda: len(bodies("full")) == 2)
    assert sorted(len(body) for body in bodies("full")) == [5, 1_400_000]


def conversion(deserializer: dict[str, Any]) -> dict[str, Any]:
    schema = {"DatabaseName": "limits", "TableName": "readings", "RoleARN": ROLE, "Region": "us-east-1"}
    return {
        "Enabled": True,
        "SchemaConfiguration": schema,
        "InputFormatConfiguration": {"Deserializer": deserializer},
        "OutputFormatConfiguration": {"Serializer": {"ParquetSerDe": {}}},
    }


@pytest.fixture
def table(laptop_cloud: LaptopCloud) -> None:
    glue = laptop_cloud.client("glue")
    glue.create_database(DatabaseInput={"Name": "limits"})
    columns = [{"Name": name, "Type": kind} for name, kind in COLUMNS.items()]
    storage = {"Columns": columns, "Location": f"s3://{BUCKET}/readings/"}
    glue.create_table(DatabaseName="limits", TableInput={"Name": "readings", "StorageDescriptor": storage})


@pytest.mark.usefixtures("table")
def test_epoch_milliseconds_and_nested_values_become_what_the_table_says(
    laptop_cloud: LaptopCloud, bodies: Bodies, until: Until
) -> None:
    hive = {"HiveJsonSerDe": {"TimestampFormats": ["millis"]}}
    hints = {"IntervalInSeconds": 60, "SizeInMBs": 64}
    stream(laptop_cloud, "nested", BufferingHints=hints, DataFormatConversionConfiguration=conversion(hive))
    record = {"device_id": "a", "event_time": 1_767_323_045_678, "place": {"site": "north"}}
    put(laptop_cloud, "nested", json.dumps(record).encode())
    (body,) = until(lambda: bodies("nested"))
    expected = ("a", datetime(2026, 1, 2, 3, 4, 5, 678_000), '{"site": "north"}')
    assert pl.read_parquet(io.BytesIO(body)).rows() == [expected]


def test_records_that_cannot_be_delivered_are_told_in_the_log_and_the_next_ones_arrive(
    laptop_cloud: LaptopCloud, bodies: Bodies, until: Until
) -> None:
    arn = "arn:aws:lambda:us-east-1:000000000000:function:none"
    names = {"LambdaArn": arn, "NumberOfRetries": "many"}
    parameters = [{"ParameterName": key, "ParameterValue": value} for key, value in names.items()]
    processing = {"Enabled": True, "Processors": [{"Type": "Lambda", "Parameters": parameters}]}
    stream(laptop_cloud, "broken", ProcessingConfiguration=processing)
    put(laptop_cloud, "broken", b"1", b"2")
    until(lambda: "Firehose broken lost 2 records" in laptop_cloud.log.read_text(errors="replace"))
    stream(laptop_cloud, "sound")
    put(laptop_cloud, "sound", b"3")
    assert until(lambda: bodies("sound")) == [b"3"]


UNREACHABLE = """
    import logging, time
    delivery, items = module("firehose_delivery"), module("firehose_items")
    delivery.RETRY_SECONDS, delivery.PAUSE_SECONDS, tries, lines = 0.3, 0.05, [], []
    class FakeS3:  # takes nothing
        def put_object(self, **request):
            tries.append(request["Key"])
            raise OSError("no such bucket")
    delivery.role_session.client = lambda *place, **where: FakeS3()
    class Kept(logging.Handler):
        def emit(self, record):
            lines.append(record.getMessage())
    delivery.logger.addHandler(Kept())
    config = {"BucketARN": "arn:aws:s3:::gone", "RoleARN": "r", "Prefix": "rows/"}
    sent = [items.Item(id=str(n), source=b"1", data=b"1", arrived=1) for n in range(2)]
    stream = {"name": "readings", "arn": "arn:aws:firehose:us-east-1:000000000000:deliverystream/readings"}
    delivery.Delivery(stream=stream, config=config, items=sent).run()
    answer([len(tries), len(set(tries)), lines[-1]])
"""


def test_an_object_that_s3_never_takes_is_given_up_after_the_time_for_retries() -> None:
    tries, keys, said = probe(UNREACHABLE)
    assert tries > 3
    assert keys == 1
    assert said == "Firehose readings lost 2 records"
