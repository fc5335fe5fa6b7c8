"""Jobs that the laptop cloud refuses, or whose data S3 does not give, fail with the reason; what lands where."""

from __future__ import annotations

import re
from typing import Any

import pytest
from botocore.exceptions import ClientError

from cdk_ml_lens.local import LaptopCloud
from tests.local.conftest import Until
from tests.local.job_support import archive, channel, finished, get, given, processing, put, training, wanted

pytestmark = pytest.mark.laptop_cloud
EFS = {"DirectoryPath": "/x", "FileSystemAccessMode": "ro", "FileSystemId": "fs-12345678901", "FileSystemType": "EFS"}
LISTED = {"S3DataType": "AugmentedManifestFile", "S3Uri": "s3://jobs/refused/data/", "AttributeNames": ["a"]}
TWO = {"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 5}
SHOW = """
    import os, pathlib
    channels = pathlib.Path(os.environ["SM_MODEL_DIR"]).parent / "input/data"
    model = pathlib.Path(os.environ["SM_MODEL_DIR"])
    (model / "deep").mkdir()
    seen = sorted(str(path.relative_to(channels)) for path in channels.rglob("*") if path.is_file())
    (model / "deep/seen.txt").write_text(" ".join(seen))
"""


def trained(cloud: LaptopCloud, until: Until, name: str, **more: Any) -> dict[str, Any]:
    code = put(cloud, "refused/code.tar.gz", archive(train=SHOW))
    cloud.client("sagemaker").create_training_job(**{**training(name, code), **more})
    return finished(cloud, until, name)


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        ("two", {"ResourceConfig": TWO}, "trains on one instance"),
        ("efs", {"InputDataConfig": [{"ChannelName": "a", "DataSource": {"FileSystemDataSource": EFS}}]},
         "reads channels from S3 only"),
        ("listed", {"InputDataConfig": [{"ChannelName": "a", "DataSource": {"S3DataSource": LISTED}}]},
         "reads S3Prefix and ManifestFile, not AugmentedManifestFile"),
        ("nobucket", {"InputDataConfig": [channel("a", "s3://no-such-bucket/data")]},
         "ClientError: Data download failed: s3://no-such-bucket/data: .*NoSuchBucket"),
        ("noscheme", {"InputDataConfig": [channel("a", "https://jobs/data")]},
         "ClientError: URL must start with s3://bucket/, got https://jobs/data"),
        ("nomodule", {"HyperParameters": {"sagemaker_program": "other.py",
                                          "sagemaker_submit_directory": "s3://jobs/refused/code.tar.gz"}},
         "AlgorithmError: other.py is not in s3://jobs/refused/code.tar.gz"),
        ("nofolder", {"HyperParameters": {"sagemaker_program": "train.py",
                                          "sagemaker_submit_directory": "/opt/ml/input/data/none"}},
         "AlgorithmError: train.py is not in /opt/ml/input/data/none"),
    ],
)  # fmt: skip
def test_a_training_that_this_cloud_cannot_run_fails_with_the_reason(
    laptop_cloud: LaptopCloud, until: Until, name: str, change: dict[str, Any], said: str
) -> None:
    job = trained(laptop_cloud, until, f"refused-{name}", **change)
    assert (job["TrainingJobStatus"], "ModelArtifacts" in job) == ("Failed", False)
    assert re.search(said, job["FailureReason"]), job["FailureReason"]


def test_code_that_is_no_archive_fails_the_training_and_is_named(laptop_cloud: LaptopCloud, until: Until) -> None:
    url = put(laptop_cloud, "refused/plain.tar.gz", "print('not packed')")
    names = {"sagemaker_program": "train.py", "sagemaker_submit_directory": url}
    job = trained(laptop_cloud, until, "refused-plain", HyperParameters=names)
    assert job["FailureReason"].startswith("ClientError: sourcedir.tar.gz cannot be extracted: ")


def test_a_prefix_that_cuts_names_gives_whole_names_and_an_uncompressed_model_is_files(
    laptop_cloud: LaptopCloud, until: Until
) -> None:
    for key in ("part-1.csv", "part-2.csv", "other.csv"):
        put(laptop_cloud, f"refused/cut/{key}", "1")
    job = trained(
        laptop_cloud, until, "cut",
        InputDataConfig=[channel("train", "s3://jobs/refused/cut/part")],
        OutputDataConfig={"S3OutputPath": "s3://jobs/out", "CompressionType": "NONE"},
    )  # fmt: skip
    assert job["TrainingJobStatus"] == "Completed", job
    assert job["ModelArtifacts"]["S3ModelArtifacts"] == "s3://jobs/out/cut/output/model/"
    assert get(laptop_cloud, "s3://jobs/out/cut/output/model/deep/seen.txt") == b"train/part-1.csv train/part-2.csv"


def test_code_may_lie_unpacked_in_a_channel(laptop_cloud: LaptopCloud, until: Until) -> None:
    put(
        laptop_cloud, "refused/source/train.py", "from beside import WORD; print(WORD); raise SystemExit('ran ' + WORD)"
    )
    put(laptop_cloud, "refused/source/beside.py", "WORD = 'unpacked'")
    names = {"sagemaker_program": "train.py", "sagemaker_submit_directory": "/opt/ml/input/data/code"}
    source = channel("code", "s3://jobs/refused/source")
    job = trained(
        laptop_cloud, until, "unpacked", HyperParameters=names, InputDataConfig=[source], EnableNetworkIsolation=True
    )
    assert "ran unpacked" in job["FailureReason"]


def test_a_key_that_climbs_out_of_its_channel_is_refused(laptop_cloud: LaptopCloud, until: Until) -> None:
    put(laptop_cloud, "refused/climb/../../../code/train.py", "print('replaced')")
    job = trained(laptop_cloud, until, "climbs", InputDataConfig=[channel("train", "s3://jobs/refused/climb/")])
    assert "would land outside its channel" in job["FailureReason"]


def test_a_wait_shorter_than_the_run_is_refused_at_once(laptop_cloud: LaptopCloud) -> None:
    limits = {"MaxRuntimeInSeconds": 60, "MaxWaitTimeInSeconds": 30}
    request = training("short", "s3://jobs/any", EnableManagedSpotTraining=True)
    with pytest.raises(ClientError, match="MaxWaitTimeInSeconds must be at least MaxRuntimeInSeconds"):
        laptop_cloud.client("sagemaker").create_training_job(**{**request, "StoppingCondition": limits})


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        ("two", {"ProcessingResources": {"ClusterConfig": TWO}}, "processes on one instance"),
        ("piped", {"ProcessingInputs": [{"InputName": "rows", "S3Input": {
            **given("rows", "s3://jobs/refused/")["S3Input"], "S3InputMode": "Pipe"}}]},
         "reads files from S3, not input rows"),
        ("features", {"ProcessingOutputConfig": {"Outputs": [
            {"OutputName": "o", "FeatureStoreOutput": {"FeatureGroupName": "g"}}]}}, "writes outputs to S3 only"),
        ("climbs", {"ProcessingOutputConfig": {"Outputs": [
            {"OutputName": "o", "S3Output": {"S3Uri": "s3://jobs/o", "LocalPath": "/tmp/o", "S3UploadMode": "EndOfJob"}}
        ]}}, "maps paths below /opt/ml, got /tmp/o"),
    ],
)  # fmt: skip
def test_a_processing_that_this_cloud_cannot_run_fails_with_the_reason(
    laptop_cloud: LaptopCloud, until: Until, name: str, change: dict[str, Any], said: str
) -> None:
    request = {**processing(f"refused-{name}", ["true"]), **change}
    laptop_cloud.client("sagemaker").create_processing_job(**request)
    job = finished(laptop_cloud, until, f"refused-{name}", kind="processing")
    assert job["ProcessingJobStatus"] == "Failed"
    assert said in job["FailureReason"]


def test_outputs_that_s3_does_not_take_fail_the_processing(laptop_cloud: LaptopCloud, until: Until) -> None:
    write = ["bash", "-c", "echo 1 > /opt/ml/processing/output/rows.csv"]
    request = processing("nowhere", write, ProcessingOutputConfig=wanted("s3://no-such-bucket/out"))
    laptop_cloud.client("sagemaker").create_processing_job(**request)
    job = finished(laptop_cloud, until, "nowhere", kind="processing")
    assert job["FailureReason"].startswith("ClientError: Data upload failed: s3://no-such-bucket/out/rows.csv: ")
