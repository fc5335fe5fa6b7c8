"""The flagship under a permissions boundary, with IAM enforced: it works within it, and stops where it forbids."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from collections.abc import Iterator
from pathlib import Path

import aws_cdk as cdk
import pytest

from cdk_ml_lens.core.boundary import BOUNDARY_CONTEXT, bound_roles
from cdk_ml_lens.local import DeployError, LaptopCloud
from stacks.iot_inference import IotInferenceStack
from tests.local.conftest import Until
from tests.local.support import role, write_assembly

pytestmark = pytest.mark.laptop_cloud
NAME = "TeamBoundary"
SERVICES = ("cloudwatch", "dynamodb", "ecr", "firehose", "iot", "kms", "lambda", "logs", "s3", "sagemaker", "sns")
ROOM = {"Effect": "Allow", "Action": [f"{name}:*" for name in (*SERVICES, "sqs", "xray")], "Resource": "*"}
READING = {"timestamp": "2026-01-01T00:00:00Z", "temperature": 1, "vibration": 2, "pressure": 3, "rotation_speed": 4}


def document(*denied: str) -> str:
    deny = [{"Effect": "Deny", "Action": list(denied), "Resource": "*"}] if denied else []
    return json.dumps({"Version": "2012-10-17", "Statement": [ROOM, *deny]})


@pytest.fixture(scope="module")
def boundary(guarded: LaptopCloud) -> str:
    policy = guarded.client("iam").create_policy(PolicyName=NAME, PolicyDocument=document())["Policy"]
    return str(policy["Arn"])


@pytest.fixture(scope="module")
def outputs(guarded: LaptopCloud, boundary: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    work = tmp_path_factory.mktemp("bounded")
    with tarfile.open(work / "model.tar.gz", "w:gz") as bundle:
        entry = tarfile.TarInfo("name.txt")
        entry.size = 1
        bundle.addfile(entry, io.BytesIO(b"1"))
    context = {BOUNDARY_CONTEXT: NAME, "model_artifact": str(work / "model.tar.gz")}
    app = cdk.App(context=context, outdir=str(work / "cdk.out"))
    IotInferenceStack(app, "Bounded")
    bound_roles(app)
    yield dict(guarded.deploy(Path(app.synth().directory), "Bounded").outputs)
    guarded.destroy("Bounded")


def publish(cloud: LaptopCloud, outputs: dict[str, str], reading: str) -> None:
    topic = f"{outputs['TopicPrefix']}/unit-1/telemetry"
    cloud.client("iot-data").publish(topic=topic, qos=1, payload=json.dumps({"reading_id": reading, **READING}))


def predicted(cloud: LaptopCloud, outputs: dict[str, str]) -> str:
    """Return the text of every prediction that the log holds."""
    s3, bucket = cloud.client("s3"), outputs["PredictionBucketName"]
    listed = s3.list_objects_v2(Bucket=bucket, Prefix=f"{outputs['PredictionPrefix']}/").get("Contents", [])
    bodies = [s3.get_object(Bucket=bucket, Key=item["Key"])["Body"].read() for item in listed]
    return "".join((gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body).decode() for body in bodies)


def failed_calls(cloud: LaptopCloud) -> int:
    """Return how often the scorer logged that it could not call the endpoint."""
    logs = cloud.client("logs")
    groups = [group["logGroupName"] for group in logs.describe_log_groups()["logGroups"]]
    (name,) = [group for group in groups if "Bounded/InferenceScoringScorer" in group]
    events = logs.filter_log_events(logGroupName=name)["events"]
    return sum("endpoint call failed" in event["message"] for event in events)


def set_default(cloud: LaptopCloud, arn: str, *denied: str) -> None:
    cloud.client("iam").create_policy_version(PolicyArn=arn, PolicyDocument=document(*denied), SetAsDefault=True)


@pytest.mark.usefixtures("outputs")
def test_every_role_of_the_deployed_flagship_has_the_boundary(guarded: LaptopCloud, boundary: str) -> None:
    iam = guarded.client("iam")
    names = [role["RoleName"] for role in iam.list_roles()["Roles"] if role["RoleName"].startswith("Bounded-")]
    bounds = {iam.get_role(RoleName=name)["Role"]["PermissionsBoundary"]["PermissionsBoundaryArn"] for name in names}
    assert len(names) > 3
    assert bounds == {boundary}


def test_a_boundary_with_room_lets_readings_be_scored_and_one_that_forbids_scoring_stops_them(
    guarded: LaptopCloud, outputs: dict[str, str], boundary: str, until: Until
) -> None:
    publish(guarded, outputs, "within")
    until(lambda: "within" in predicted(guarded, outputs), seconds=60)
    assert failed_calls(guarded) == 0
    set_default(guarded, boundary, "sagemaker:InvokeEndpoint")
    publish(guarded, outputs, "forbidden")
    until(lambda: failed_calls(guarded) >= 2, seconds=60)  # it comes back from the queue, and fails again
    assert "forbidden" not in predicted(guarded, outputs)
    set_default(guarded, boundary)
    until(lambda: "forbidden" in predicted(guarded, outputs), seconds=90)


def test_a_role_waits_for_its_boundary_to_exist(guarded: LaptopCloud, tmp_path: Path) -> None:
    arn = "arn:aws:iam::000000000000:policy/LateBoundary"
    bound = role(RoleName="late", PermissionsBoundary=arn)
    assembly = write_assembly(tmp_path, "Late", {"Resources": {"Role": bound}})
    with pytest.raises(DeployError, match="PutRolePermissionsBoundary failed.*LateBoundary does not exist"):
        guarded.deploy(assembly, "Late")
    iam = guarded.client("iam")
    assert "late" not in [item["RoleName"] for item in iam.list_roles()["Roles"]]
    iam.create_policy(PolicyName="LateBoundary", PolicyDocument=document())
    assert guarded.deploy(assembly, "Late").status == "CREATE_COMPLETE"
    assert iam.get_role(RoleName="late")["Role"]["PermissionsBoundary"]["PermissionsBoundaryArn"] == arn
