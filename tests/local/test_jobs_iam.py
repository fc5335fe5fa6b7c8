"""With IAM enforced: what a job's role, the caller and a machine's role may do about jobs and endpoints."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cdk_ml_lens.local import LaptopCloud
from tests.local.conftest import Until
from tests.local.job_support import archive, channel, executed, finished, put, training
from tests.local.support import inline_function, policy, role, write_assembly

pytestmark = pytest.mark.laptop_cloud
JOBS = "arn:aws:sagemaker:us-east-1:000000000000:training-job"
RULE = "arn:aws:events:us-east-1:000000000000:rule/StepFunctionsGetEventsForSageMakerTrainingJobsRule"
WAITING = ("events:PutTargets", "events:PutRule", "events:DescribeRule")
SYNC = "sagemaker:createTrainingJob.sync"


def roles(cloud: LaptopCloud, folder: Path, name: str, **documents: dict[str, Any]) -> dict[str, str]:
    """Make a role for each policy document and return their ARNs."""
    resources = {
        key: role("sagemaker.amazonaws.com", Policies=[{"PolicyName": "p", "PolicyDocument": document}])
        for key, document in documents.items()
    }
    outputs = {f"{key}Arn": {"Value": {"Fn::GetAtt": [key, "Arn"]}} for key in documents}
    made = cloud.deploy(write_assembly(folder, name, {"Resources": resources, "Outputs": outputs}), name).outputs
    return {key: made[f"{key}Arn"] for key in documents}


def test_a_job_reads_and_writes_what_its_role_allows(guarded: LaptopCloud, tmp_path: Path, until: Until) -> None:
    code = put(guarded, "code/guarded.tar.gz", archive(train="pass"))
    for key in ("mine/a.csv", "theirs/a.csv"):
        put(guarded, key, "1")
    document = policy(
        ("s3:ListBucket", "arn:aws:s3:::jobs"),
        ("s3:GetObject", ["arn:aws:s3:::jobs/code/*", "arn:aws:s3:::jobs/mine/*"]),
        ("s3:PutObject", "arn:aws:s3:::jobs/out/mine/*"),
    )
    arn = roles(guarded, tmp_path, "JobRole", Job=document)["Job"]
    found = {}
    for name, data in (("mine", "mine"), ("theirs", "theirs"), ("elsewhere", "mine")):
        request = {**training(name, code), "RoleArn": arn}
        given = [channel("train", f"s3://jobs/{data}/")]
        guarded.client("sagemaker").create_training_job(**request, InputDataConfig=given)
        found[name] = finished(guarded, until, name)
    assert found["mine"]["TrainingJobStatus"] == "Completed", found["mine"]
    for name, what in (("theirs", "Data download failed"), ("elsewhere", "Data upload failed")):
        assert what in found[name]["FailureReason"]
        assert "AccessDenied" in found[name]["FailureReason"]


START = """
    import boto3
    def handler(event, context):
        try:
            boto3.client("sagemaker").create_training_job(**event)
        except Exception as error:
            return error.response["Error"]["Message"]
"""


def test_a_function_that_starts_a_job_must_pass_its_role(guarded: LaptopCloud, tmp_path: Path) -> None:
    document = policy(
        ("sagemaker:CreateTrainingJob", f"{JOBS}/*"), ("iam:PassRole", "arn:aws:iam::000000000000:role/a")
    )
    resources = {"Role": role(Policies=[{"PolicyName": "p", "PolicyDocument": document}]), "F": inline_function(START)}
    template = {"Resources": resources, "Outputs": {"Name": {"Value": {"Ref": "F"}}}}
    name = guarded.deploy(write_assembly(tmp_path, "Passing", template), "Passing").outputs["Name"]
    said = {}
    for passed in ("a", "b"):
        request = {**training(f"passed-{passed}", "s3://jobs/x"), "RoleArn": f"arn:aws:iam::000000000000:role/{passed}"}
        answer = guarded.client("lambda").invoke(FunctionName=name, Payload=json.dumps(request))
        said[passed] = json.loads(answer["Payload"].read())
    assert said["a"] is None
    assert "not authorized to perform: iam:PassRole" in said["b"]


@pytest.mark.parametrize(
    ("missing", "refused"),
    [("", None), ("sagemaker:StopTrainingJob", "sagemaker:StopTrainingJob"), ("events:PutRule", "events:PutRule"),
     ("iam:PassRole", "iam:PassRole"), ("sagemaker:AddTags", "sagemaker:AddTags")],
)  # fmt: skip
def test_a_machine_waits_for_a_job_only_with_every_action_that_waiting_takes(
    missing: str, refused: str | None, guarded: LaptopCloud, tmp_path: Path, until: Until
) -> None:
    verbs = [f"sagemaker:{verb}TrainingJob" for verb in ("Create", "Describe", "Stop")]
    verbs += ["sagemaker:AddTags", "sagemaker:ListTags"]
    statements = [
        ([action for action in verbs if action != missing], f"{JOBS}/waited-*"),
        (
            [action for action in ("events:PutTargets", "events:PutRule", "events:DescribeRule") if action != missing],
            RULE,
        ),
    ]
    if missing != "iam:PassRole":
        statements.append((["iam:PassRole"], "*"))
    name = f"waited-{(missing or 'all').split(':')[-1].lower()}"
    made = roles(
        guarded, tmp_path, f"Waiting{name[7:]}", Machine=policy(*statements), Job=policy(("s3:*", "*"))
    )  # fmt: skip
    code = put(guarded, "code/guarded.tar.gz", archive(train="pass"))
    request = {**training(name, code), "RoleArn": made["Job"]}
    ended = executed(guarded, until, SYNC, request, role=made["Machine"])
    if refused is None:
        assert ended["status"] == "SUCCEEDED", ended
    else:
        assert ended["error"] == "SageMaker.AccessDeniedException"
        assert refused in ended["cause"]


def test_a_machine_asks_of_sagemaker_what_its_role_allows(guarded: LaptopCloud, tmp_path: Path, until: Until) -> None:
    prefix = "arn:aws:sagemaker:us-east-1:000000000000"
    document = policy(("sagemaker:ListModelPackages", f"{prefix}:model-package/mine/*"))
    arn = roles(guarded, tmp_path, "Asking", Machine=document)["Machine"]
    asked = "aws-sdk:sagemaker:listModelPackages"
    mine = executed(guarded, until, asked, {"ModelPackageGroupName": "mine"}, role=arn)
    assert json.loads(mine["output"]) == {"ModelPackageSummaryList": []}
    theirs = executed(guarded, until, asked, {"ModelPackageGroupName": "theirs"}, role=arn)
    assert theirs["error"] == "SageMaker.AccessDeniedException"
