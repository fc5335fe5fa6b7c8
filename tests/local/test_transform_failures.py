"""Transform jobs that cannot be done fail the state that waits for them, with the reason as its cause."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from cdk_ml_lens.local import LaptopCloud
from tests.local.conftest import Until
from tests.local.job_support import ROLE, executed, get, put

pytestmark = pytest.mark.laptop_cloud
Model = Callable[..., str]


@pytest.fixture
def model(laptop_cloud: LaptopCloud, model_artifact: Callable[..., str]) -> Model:
    """Return a function that makes a model from an artifact with the given files and returns its name."""

    def make(name: str, /, *, url: str | None = None, **files: str) -> str:
        container = {"Image": "any", "ModelDataUrl": url if url is not None else model_artifact(name, **files)}
        laptop_cloud.client("sagemaker").create_model(
            ModelName=name, ExecutionRoleArn=ROLE, PrimaryContainer={k: v for k, v in container.items() if v}
        )
        return name

    return make


def transform(name: str, model: str, prefix: str, **processing: str) -> dict[str, Any]:
    source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": prefix}}
    return {
        "TransformJobName": name,
        "ModelName": model,
        "TransformInput": {"ContentType": "text/csv", "SplitType": "Line", "DataSource": source},
        "TransformOutput": {"S3OutputPath": f"s3://jobs/{name}/out", "Accept": "text/csv"},
        "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
        "DataProcessing": processing,
    }


def failed(cloud: LaptopCloud, until: Until, request: dict[str, Any]) -> str:
    """Run a job as a state and return the reason of its failure."""
    ended = executed(cloud, until, "sagemaker:createTransformJob.sync", request)
    assert (ended["status"], ended["error"]) == ("FAILED", "States.TaskFailed"), ended
    cause = json.loads(ended["cause"])
    assert cause["TransformJobStatus"] == "Failed"
    return str(cause["FailureReason"])


def test_without_filters_the_whole_row_goes_in_and_the_answer_comes_out(
    laptop_cloud: LaptopCloud, until: Until, model: Model
) -> None:
    put(laptop_cloud, "whole/in/a.csv", "1,2\n3,4\n")
    request = transform("whole", model("whole", name="whole"), "s3://jobs/whole/in/", JoinSource="Input")
    done = executed(laptop_cloud, until, "sagemaker:createTransformJob.sync", request)
    assert json.loads(done["output"])["TransformJobStatus"] == "Completed"
    assert get(laptop_cloud, "s3://jobs/whole/out/a.csv.out") == b"1,2,3.0,1000.0,whole\n3,4,7.0,1000.0,whole\n"


def test_a_prefix_without_objects_is_named(laptop_cloud: LaptopCloud, until: Until, model: Model) -> None:
    put(laptop_cloud, "elsewhere/a.csv", "1")
    request = transform("hollow", model("hollow", name="m"), "s3://jobs/hollow/in/")
    assert failed(laptop_cloud, until, request) == "No S3 objects found under S3 URL s3://jobs/hollow/in/"


def test_anything_but_lines_of_csv_is_refused_not_guessed(laptop_cloud: LaptopCloud, until: Until) -> None:
    request = transform("lines", "any", "s3://jobs/whole/in/")
    request["TransformInput"]["ContentType"] = "application/json"
    assert "lines of text/csv only" in failed(laptop_cloud, until, request)


@pytest.mark.parametrize(
    ("which", "path", "said"),
    [
        ("InputFilter", "$.features", "the laptop cloud knows no JSONPath $.features of CSV"),
        ("OutputFilter", "$[0,5]", "$[0,5] needs more columns than 3.0,1000.0,m has"),
    ],
)
def test_a_filter_that_does_not_fit_the_rows_is_named(
    which: str, path: str, said: str, laptop_cloud: LaptopCloud, until: Until, model: Model
) -> None:
    put(laptop_cloud, "paths/in/a.csv", "1,2\n")
    name = f"path-{which.lower()}"
    request = transform(name, model(name, name="m"), "s3://jobs/paths/in/", **{which: path})
    assert failed(laptop_cloud, until, request) == said


def test_a_model_that_is_missing_has_no_artifact_or_does_not_start_is_told(
    laptop_cloud: LaptopCloud, until: Until, model: Model
) -> None:
    put(laptop_cloud, "models/in/a.csv", "1,2\n")

    def reason(name: str) -> str:
        return failed(laptop_cloud, until, transform(f"with-{name}", name, "s3://jobs/models/in/"))

    assert "none-such" in reason("none-such")
    assert reason(model("bare", url="")) == (
        "Model bare has no ModelDataUrl: the laptop cloud serves script-mode models only"
    )
    assert "Could not load model data of lost" in reason(model("lost", url="s3://models/no-such.tar.gz"))
    assert "the artifact was made with another version" in reason(model("old", fail="yes"))


def test_a_model_that_leaves_rows_out_is_found(laptop_cloud: LaptopCloud, until: Until, model: Model) -> None:
    put(laptop_cloud, "rows/in/a.csv", "id-1,1,2\nid-2,3,4\n")
    request = transform("rows", model("rows", name="m\nanother line"), "s3://jobs/rows/in/", InputFilter="$[1:]")
    assert failed(laptop_cloud, until, request) == "the model gave 4 answers to 2 records"


def test_answers_that_s3_does_not_take_fail_the_job(laptop_cloud: LaptopCloud, until: Until, model: Model) -> None:
    put(laptop_cloud, "full/in/a.csv", "1,2\n")
    request = transform("full", model("full", name="m"), "s3://jobs/full/in/")
    request["TransformOutput"]["S3OutputPath"] = "s3://no-such-bucket/out"
    assert "NoSuchBucket" in failed(laptop_cloud, until, request)


def test_a_model_that_dies_at_a_row_is_told(laptop_cloud: LaptopCloud, until: Until, model: Model) -> None:
    put(laptop_cloud, "dies/in/a.csv", "666,1\n")
    request = transform("dies", model("dies", name="m"), "s3://jobs/dies/in/")
    assert failed(laptop_cloud, until, request) == "the server of model dies is gone"
