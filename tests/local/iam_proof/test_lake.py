"""The handlers of a lake's ingestion, a device's hook, and a function of somebody else that writes to a table."""

from __future__ import annotations

import base64
import gzip
import json
import time
from datetime import UTC, datetime
from typing import Any

import pytest

from cdk_ml_lens.local import LaptopCloud
from tests.local.iam_proof.conftest import Proven, Stage
from tests.local.iam_proof.harness import Proof
from tests.local.iam_proof.support import invoked, logging, physical
from tests.local.support import inline_function, write_assembly

pytestmark = pytest.mark.laptop_cloud
INGEST = "examples/stream_ingest.py"
READING = {"timestamp": "2027-01-15T08:00:00Z", "temperature": 1.0}
RECORD = {**READING, "device_id": "unit-1", "received_at": 1_800_000_000_000, "trace_id": "t1"}


@pytest.fixture(scope="module")
def ingest(stage: Stage) -> dict[str, str]:
    return stage(INGEST)


@pytest.mark.usefixtures("ingest")
def test_transform_readings_needs_nothing_but_its_log(guarded: LaptopCloud, proven: Proven) -> None:
    function = physical(guarded, "StreamIngest", "IngestTransformFunction")
    data = base64.b64encode(json.dumps(RECORD).encode()).decode()
    event = {"records": [{"recordId": "1", "data": data, "approximateArrivalTimestamp": 1}]}

    def transform() -> None:
        (answer,) = invoked(guarded, function, event)["records"]
        assert answer["result"] == "Ok"

    works = logging(guarded, function, event)
    proven(Proof(role="IngestTransformRole", setting=INGEST, stack="StreamIngest", work=transform, works=works))


def test_replay_records_needs_each_of_its_rights(guarded: LaptopCloud, ingest: dict[str, str], proven: Proven) -> None:
    function = physical(guarded, "StreamIngest", "IngestReplayHandlerFunction")
    hour = f"{datetime.now(UTC):%Y/%m/%d/%H}"
    body = gzip.compress(json.dumps(RECORD).encode())
    guarded.client("s3").put_object(Bucket=ingest["OriginalsBucket"], Key=f"telemetry/{hour}/a.gz", Body=body)
    step = {"step": "hour", "hour": hour, "after": "", "counts": {}, "from_ms": 0, "to_ms": 2_000_000_000_000}

    def replay() -> None:
        counts = invoked(guarded, function, step)["counts"]
        assert counts["sent"] == 1, counts

    works = logging(guarded, function, {"step": "sum", "hours": []})
    proven(Proof(role="IngestReplayHandlerRole", setting=INGEST, stack="StreamIngest", work=replay, works=works))


def test_the_hook_of_a_fleet_needs_nothing_but_its_log(guarded: LaptopCloud, stage: Stage, proven: Proven) -> None:
    setting = "examples/device_fleet.py"
    stage(setting)
    function = physical(guarded, "DeviceFleet", "Hook")
    event = {"parameters": {"SerialNumber": "no such"}}
    works = logging(guarded, function, event)
    proven(
        Proof(
            role="HookRole",
            setting=setting,
            stack="DeviceFleet",
            work=lambda: check(invoked(guarded, function, event)),
            works=works,
        )
    )


def check(answer: Any) -> None:
    assert answer == {"allowProvisioning": False}


WRITER = """
    import boto3
    def handler(event, context):
        s3, glue = boto3.client("s3"), boto3.client("glue")
        where = {"Bucket": event["bucket"], "Key": "telemetry/date=2026-01-01/" + event["name"]}
        s3.get_bucket_location(Bucket=event["bucket"])
        upload = s3.create_multipart_upload(**where)["UploadId"]
        part = s3.upload_part(**where, UploadId=upload, PartNumber=1, Body=b"rows")
        parts = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
        s3.complete_multipart_upload(**where, UploadId=upload, MultipartUpload=parts)
        s3.abort_multipart_upload(**where, UploadId=s3.create_multipart_upload(**where)["UploadId"])
        s3.list_multipart_uploads(Bucket=event["bucket"])
        glue.get_database(Name=event["database"])
        glue.get_table(DatabaseName=event["database"], Name="telemetry")
        return "written"
"""


def test_a_function_that_writes_to_a_table_needs_each_right_of_the_grant(
    guarded: LaptopCloud, stage: Stage, proven: Proven, tmp_path_factory: pytest.TempPathFactory
) -> None:
    setting, stack = "examples/data_lake.py", "DataLakeExample"
    outputs = stage(setting)
    name = physical(guarded, stack, "Gateway")
    arn = guarded.client("iam").get_role(RoleName=name)["Role"]["Arn"]
    function = inline_function(WRITER)
    function["Properties"]["Role"] = arn
    template = {"Resources": {"Writer": function}, "Outputs": {"Name": {"Value": {"Ref": "Writer"}}}}
    folder = write_assembly(tmp_path_factory.mktemp("writer"), "Writer", template)
    writer = guarded.deploy(folder, "Writer").outputs["Name"]
    where = {"bucket": physical(guarded, stack, "LakeZonerawBucket"), "database": outputs["RawDatabase"]}

    def write() -> None:
        assert invoked(guarded, writer, {**where, "name": f"{time.time()}"}) == "written"

    proven(Proof(role="Gateway", setting=setting, stack=stack, work=write))
