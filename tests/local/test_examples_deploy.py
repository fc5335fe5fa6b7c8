"""Every example deploys from its own template, and goes; the three ways of ingestion score and quarantine."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aws_cdk as cdk
import pytest

from cdk_ml_lens.local import Deployment, LaptopCloud
from tests.local.conftest import Collected, Deploy, Until
from tests.local.support import endpoint_resources

pytestmark = pytest.mark.laptop_cloud
EXAMPLES = Path(__file__).parents[2] / "examples"
NAMES = sorted(path.stem for path in EXAMPLES.glob("*.py") if not path.stem.startswith("test_"))


def built(name: str) -> cdk.Stack:
    spec = importlib.util.spec_from_file_location(f"example_{name}", EXAMPLES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    stack: cdk.Stack = module.build(cdk.App())
    return stack


def required(stack: cdk.Stack) -> dict[str, str]:
    """Return a value for each parameter without a default: bucket or key of a model artifact."""
    folder = Path(cdk.Stage.of(stack).synth().directory)  # type: ignore[union-attr]
    template = json.loads((folder / f"{stack.artifact_id}.template.json").read_text())
    names = [name for name, item in template.get("Parameters", {}).items() if "Default" not in item]
    return {name: "models" if name.endswith("Bucket") else "any.tar.gz" for name in names}


@pytest.mark.parametrize("name", NAMES)
def test_an_example_deploys_and_goes(
    name: str, laptop_cloud: LaptopCloud, deployed: Callable[..., Deployment], model_artifact: Callable[..., str]
) -> None:
    model_artifact("any", name="any")
    stack = built(name)
    assert deployed(stack, **required(stack)).status == "CREATE_COMPLETE"
    laptop_cloud.destroy(stack.stack_name)


READING = {"reading_id": "r1", "timestamp": "2026-01-01T00:00:00Z", "temperature": 20.0, "vibration": 1.0}


def test_queued_streamed_and_direct_ingestion_score_and_quarantine(
    laptop_cloud: LaptopCloud,
    deployed: Callable[..., Deployment],
    deploy_template: Deploy,
    model_artifact: Callable[..., str],
    collected: Collected,
    until: Until,
) -> None:
    deploy_template("Model", endpoint_resources("turbine-anomalies", model_artifact("sum", name="sum")))
    stack = built("scoring_rule")
    deployed(stack)
    rules = laptop_cloud.client("iot").list_topic_rules()["rules"]
    prefixes = [rule["topicPattern"].split("/")[0] for rule in rules if rule["ruleName"].startswith("ScoringRules")]
    assert len(prefixes) == 3
    publish = laptop_cloud.client("iot-data").publish
    for prefix in prefixes:
        publish(topic=f"{prefix}/unit-1/telemetry", qos=1, payload=json.dumps(READING))
        publish(topic=f"{prefix}/unit-1/telemetry", qos=1, payload=f"poison for {prefix}")
    dead = [json.loads(body) for url in dead_letter_queues(laptop_cloud) for body in collected(url, 1)]
    # typed fields of what is not JSON are undefined, so the direct rule hands over an object without them
    assert sorted(item["reason"] for item in dead) == ["missing_feature", "not_json", "not_json"]
    texts = [item["payload"] for item in dead if item["reason"] == "not_json"]
    assert sorted(texts) == ["poison for presses", "poison for turbines"]
    until(lambda: calls(laptop_cloud, "turbine-anomalies") == 3)


def dead_letter_queues(cloud: LaptopCloud) -> list[str]:
    urls = cloud.client("sqs").list_queues(QueueNamePrefix="ScoringRules").get("QueueUrls", [])
    return [url for url in urls if "DeadLetter" in url]


def calls(cloud: LaptopCloud, endpoint: str) -> float:
    """Return how often the endpoint was called."""
    points = cloud.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/SageMaker",
        MetricName="Invocations",
        Dimensions=[{"Name": "EndpointName", "Value": endpoint}, {"Name": "VariantName", "Value": "only"}],
        StartTime=datetime.now(UTC) - timedelta(minutes=10),
        EndTime=datetime.now(UTC) + timedelta(minutes=1),
        Period=60,
        Statistics=["Sum"],
    )["Datapoints"]
    return float(sum(point["Sum"] for point in points))
