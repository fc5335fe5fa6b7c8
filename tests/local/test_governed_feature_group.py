"""FeatureGroup with IAM enforced: the pipeline's last job feeds it, a reader gets the newest features of a device."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import boto3
import pytest
from botocore.exceptions import ClientError

from cdk_ml_lens.local import LaptopCloud
from tests.local.conftest import Until
from tests.local.test_examples_deploy import built
from tests.local.test_governed_pipeline import run, send

pytestmark = pytest.mark.laptop_cloud


@pytest.fixture(scope="module")
def outputs(guarded: LaptopCloud) -> Iterator[dict[str, str]]:
    stack = built("feature_group")
    app = cdk.Stage.of(stack)
    assert app is not None
    yield dict(guarded.deploy(Path(app.synth().directory), stack.stack_name).outputs)
    guarded.destroy(stack.stack_name)


def reader(cloud: LaptopCloud, role_arn: str) -> Any:
    """Return a client with the rights of the example's scorer."""
    keys = cloud.client("sts").assume_role(RoleArn=role_arn, RoleSessionName="test")["Credentials"]
    return boto3.client(
        "sagemaker-featurestore-runtime",
        endpoint_url=cloud.endpoint_url,
        region_name=cloud.region,
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
    )


def test_the_newest_features_of_a_device_are_online_after_a_run(
    guarded: LaptopCloud, outputs: dict[str, str], until: Until
) -> None:
    start = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)  # records expire after 30 days
    send(guarded, outputs["RawBucketName"], "d1", name="a", value=20.0, start=start)
    ended = run(guarded, outputs["MachineArn"], until)
    assert ended["status"] == "SUCCEEDED", ended.get("cause")
    store = reader(guarded, outputs["ScorerRoleArn"])
    group = outputs["FeatureGroupName"]
    found = store.get_record(FeatureGroupName=group, RecordIdentifierValueAsString="d1")["Record"]
    record = {item["FeatureName"]: item["ValueAsString"] for item in found}
    assert record["reading_id"] == "d1-a-49"  # the last one; the example's sensor has no bounds
    assert datetime.fromisoformat(record["event_time"]) == start + timedelta(seconds=30 * 49)
    assert float(record["temperature_maximum_300s"]) == 500.0
    with pytest.raises(ClientError, match="AccessDenied"):
        store.put_record(FeatureGroupName=group, Record=found)
