"""Guardrails on the laptop cloud: a bad version meets its share only, is rolled back, and the deployment says so."""

from __future__ import annotations

import json
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import aws_cdk as cdk
import pytest
from aws_cdk import aws_s3 as s3
from botocore.exceptions import ClientError

from cdk_ml_lens import ModelArtifact, ModelEndpoint, ModelSource, Rollout, Variant
from cdk_ml_lens.local import LaptopCloud, ModelRuntime
from tests.local.conftest import FAKE_SERVER, Until
from tests.local.sagemaker_support import impatient

pytestmark = pytest.mark.laptop_cloud
NAME = "guarded"
GOOD_ROW = "1,2"


@pytest.fixture(scope="module")
def laptop_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LaptopCloud]:
    """A cloud in which a minute of AWS lasts a second."""
    models = ModelRuntime(python=Path(sys.executable), server=FAKE_SERVER)
    with LaptopCloud.start(state_dir=tmp_path_factory.mktemp("fast"), models=models, time_scale=60) as cloud:
        yield cloud


@pytest.fixture
def publish(laptop_cloud: LaptopCloud, tmp_path: Path, model_artifact: Callable[..., str]) -> Callable[..., str]:
    """Deploy a version of the model and return the stack's status."""

    def deploy(version: str, rollout: Rollout, **environment: str) -> str:
        model_artifact(version, name=version)
        app = cdk.App(outdir=str(tmp_path / version))
        stack = cdk.Stack(app, "Guarded")
        bucket = s3.Bucket.from_bucket_name(stack, "Models", "models")
        source = ModelSource.sklearn(ModelArtifact.from_bucket(bucket, f"{version}.tar.gz"))
        model = replace(source, environment={**source.environment, **environment})
        variants = [Variant(name="primary", model=model)]
        ModelEndpoint(stack, "E", variants=variants, endpoint_name=NAME, rollout=rollout, capture=None)
        try:
            return laptop_cloud.deploy(Path(app.synth().directory), "Guarded").status
        except Exception as failure:
            return f"{getattr(failure, 'status', type(failure).__name__)}: {failure}"

    return deploy


class Traffic:
    """Asks all the time, from two threads, without retries; knows which version answered."""

    def __init__(self, cloud: LaptopCloud, row: str) -> None:
        self.answers: Counter[str] = Counter()
        self._stop = threading.Event()
        self._row = row
        self._client = impatient(cloud)
        self._threads = [threading.Thread(target=self._ask) for _ in range(2)]

    def __enter__(self) -> Traffic:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *ended: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _ask(self) -> None:
        while not self._stop.wait(0.005):
            try:
                answer = self._client.invoke_endpoint(EndpointName=NAME, ContentType="text/csv", Body=self._row)
                self.answers[json.loads(answer["Body"].read())["model_version"]] += 1
            except ClientError as error:
                self.answers[error.response["Error"]["Code"]] += 1
            except Exception:
                self.answers["unanswered"] += 1


def live_version(cloud: LaptopCloud) -> str:
    answer = cloud.client("sagemaker-runtime").invoke_endpoint(EndpointName=NAME, ContentType="text/csv", Body=GOOD_ROW)
    return str(json.loads(answer["Body"].read())["model_version"])


def served(cloud: LaptopCloud) -> str:
    return str(cloud.client("sagemaker").describe_endpoint(EndpointName=NAME)["EndpointConfigName"])


def test_good_version_arrives_and_bad_one_is_rolled_back_with_the_deployment(
    laptop_cloud: LaptopCloud, publish: Callable[..., str]
) -> None:
    canary = Rollout.canary(percent=20, bake_minutes=2)
    assert publish("one", canary) == "CREATE_COMPLETE"
    with Traffic(laptop_cloud, GOOD_ROW) as steady:
        assert publish("two", canary) == "UPDATE_COMPLETE"
    assert set(steady.answers) == {"one", "two"}  # both fleets served, nothing was refused or unanswered
    assert live_version(laptop_cloud) == "two"

    before = served(laptop_cloud)
    with Traffic(laptop_cloud, GOOD_ROW) as shaken:
        status = publish("three", canary, FAKE_FAILS="yes")
    assert status.startswith("UPDATE_ROLLBACK_COMPLETE")
    assert "rolled back" in status  # VerifiedRollout says why
    assert served(laptop_cloud) == before
    assert live_version(laptop_cloud) == "two"
    bad = shaken.answers["ModelError"]
    assert set(shaken.answers) == {"two", "ModelError"}
    assert 0 < bad / shaken.answers.total() <= 0.22  # the canary's 20 % and 2 points


def test_changed_variant_names_are_refused_behind_guardrails(laptop_cloud: LaptopCloud) -> None:
    sagemaker = laptop_cloud.client("sagemaker")
    live = sagemaker.describe_endpoint_config(EndpointConfigName=served(laptop_cloud))
    renamed = [{**live["ProductionVariants"][0], "VariantName": "other"}]
    sagemaker.create_endpoint_config(EndpointConfigName="renamed", ProductionVariants=renamed)
    deployment = {
        "BlueGreenUpdatePolicy": {
            "TrafficRoutingConfiguration": {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 0},
        }
    }
    with pytest.raises(ClientError, match="ValidationException.*same variant names"):
        sagemaker.update_endpoint(EndpointName=NAME, EndpointConfigName="renamed", DeploymentConfig=deployment)


@pytest.mark.parametrize(
    "rollout", [Rollout.linear(percent=50, bake_minutes=1), Rollout.rolling(percent=50, bake_minutes=1)]
)
def test_other_strategies_arrive_too(
    rollout: Rollout, laptop_cloud: LaptopCloud, publish: Callable[..., str], until: Until
) -> None:
    version = rollout.strategy.lower()
    alarms = laptop_cloud.client("cloudwatch")
    until(lambda: not alarms.describe_alarms(StateValue="ALARM")["MetricAlarms"])  # or it is rolled back at once
    with Traffic(laptop_cloud, GOOD_ROW) as steady:
        assert publish(version, rollout) in ("UPDATE_COMPLETE", "CREATE_COMPLETE")
    assert live_version(laptop_cloud) == version
    assert "unanswered" not in steady.answers
