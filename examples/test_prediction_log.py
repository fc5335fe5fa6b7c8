"""A test of a stack on the laptop cloud: `pytest examples/test_prediction_log.py`."""

from __future__ import annotations

import gzip
import time
from collections.abc import Callable
from typing import Any

import aws_cdk as cdk
import pytest

from examples.prediction_log import build


# region: test
@pytest.mark.laptop_cloud
def test_record_arrives_in_the_bucket(laptop_cloud: Any, deployed: Callable[..., Any]) -> None:
    """What is put to the stream is a line of a compressed object below the prefix."""
    outputs = deployed(build(cdk.App())).outputs
    laptop_cloud.client("firehose").put_record_batch(
        DeliveryStreamName=outputs["StreamName"], Records=[{"Data": b'{"score": 0.7}\n'}]
    )
    key, body = first_object(laptop_cloud.client("s3"), outputs["BucketName"])
    assert key.startswith("predictions/turbines/year=")
    assert gzip.decompress(body) == b'{"score": 0.7}\n'


# endregion


def first_object(s3: Any, bucket: str) -> tuple[str, bytes]:
    """Wait up to 20 seconds for an object and return its key and content."""
    for _ in range(100):
        for entry in s3.list_objects_v2(Bucket=bucket).get("Contents", []):
            return entry["Key"], s3.get_object(Bucket=bucket, Key=entry["Key"])["Body"].read()
        time.sleep(0.2)
    raise AssertionError(f"nothing arrived in {bucket}")
