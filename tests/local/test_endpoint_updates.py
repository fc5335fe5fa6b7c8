"""UpdateEndpoint by hand: what arrives, what is refused before anything moves, how a failed endpoint recovers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from cdk_ml_lens.local import LaptopCloud
from tests.local.conftest import Until
from tests.local.job_support import ROLE
from tests.local.sagemaker_support import invoke

pytestmark = pytest.mark.laptop_cloud
Artifact = Callable[..., str]
HALF = {"Type": "CAPACITY_PERCENT", "Value": 50}


def routed(kind: str, **more: Any) -> dict[str, Any]:
    """Return a blue/green deployment."""
    routing = {"Type": kind, "WaitIntervalInSeconds": 0, **more}
    return {"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": routing, "MaximumExecutionTimeoutInSeconds": 600}}


class ByHand:
    """An endpoint and its configurations, made call by call."""

    def __init__(self, cloud: LaptopCloud, until: Until) -> None:
        self.cloud, self.until = cloud, until
        self.sagemaker = cloud.client("sagemaker")

    def configure(self, name: str, **urls: str) -> str:
        """Make a configuration with a variant per artifact."""
        for variant, url in urls.items():
            self.sagemaker.create_model(
                ModelName=f"{name}-{variant}",
                ExecutionRoleArn=ROLE,
                PrimaryContainer={"Image": "any", "ModelDataUrl": url},
            )
        variants = [
            {
                "VariantName": variant,
                "ModelName": f"{name}-{variant}",
                "InitialInstanceCount": 1,
                "InstanceType": "ml.m5.large",
                "InitialVariantWeight": 1,
            }
            for variant in urls
        ]
        self.sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=variants)
        return name

    def serve(self, config: str) -> str:
        """Create the endpoint and return its status once nothing is under way."""
        self.sagemaker.create_endpoint(EndpointName="by-hand", EndpointConfigName=config)
        return self.settled()

    def update(self, config: str, deployment: dict[str, Any] | None = None) -> str:
        more = {} if deployment is None else {"DeploymentConfig": deployment}
        self.sagemaker.update_endpoint(EndpointName="by-hand", EndpointConfigName=config, **more)
        return self.settled()

    def settled(self) -> str:
        def status() -> str:
            found = str(self.sagemaker.describe_endpoint(EndpointName="by-hand")["EndpointStatus"])
            return "" if found in ("Creating", "Updating") else found

        return str(self.until(status, seconds=60))

    def version(self) -> str:
        return str(invoke(self.cloud, "by-hand")["Lines"][0]["model_version"])


@pytest.fixture
def hand(laptop_cloud: LaptopCloud, until: Until) -> Iterator[ByHand]:
    """Return what makes the endpoint; all of it is deleted again."""
    made = ByHand(laptop_cloud, until)
    yield made
    client = made.sagemaker
    for found in client.list_endpoints(NameContains="by-hand")["Endpoints"]:
        made.settled()
        client.delete_endpoint(EndpointName=found["EndpointName"])
    for found in client.list_endpoint_configs()["EndpointConfigs"]:
        client.delete_endpoint_config(EndpointConfigName=found["EndpointConfigName"])
    for found in client.list_models()["Models"]:
        client.delete_model(ModelName=found["ModelName"])


def test_all_traffic_moves_at_once(hand: ByHand, model_artifact: Artifact) -> None:
    assert hand.serve(hand.configure("once-1", v=model_artifact("once-1", name="1"))) == "InService"
    second = hand.configure("once-2", v=model_artifact("once-2", name="2"))
    assert hand.update(second, routed("ALL_AT_ONCE")) == "InService"
    assert hand.version() == "2"


def test_a_deployment_that_cannot_be_is_refused_before_anything_moves(hand: ByHand, model_artifact: Artifact) -> None:
    urls = {name: model_artifact(f"pair-{name}", name=name) for name in ("a", "b")}
    hand.serve(hand.configure("pair-1", **urls))
    second = hand.configure("pair-2", **urls)
    rolling = {"MaximumBatchSize": HALF, "WaitIntervalInSeconds": 0, "MaximumExecutionTimeoutInSeconds": 600}
    for deployment, reason in (
        ({"RollingUpdatePolicy": rolling}, "Rolling deployments do not support multi-variant endpoints"),
        (routed("CANARY", CanarySize={"Type": "INSTANCE_COUNT", "Value": 1}), "capacity sizes in percent only"),
    ):
        with pytest.raises(ClientError, match=f"ValidationException.*{reason}"):
            hand.update(second, deployment)
    shown = hand.sagemaker.describe_endpoint(EndpointName="by-hand")
    assert (shown["EndpointStatus"], shown["EndpointConfigName"]) == ("InService", "pair-1")
    assert hand.update(second, routed("LINEAR", LinearStepSize=HALF)) == "InService"


def test_a_variant_that_is_not_there_gets_no_weight(hand: ByHand, model_artifact: Artifact) -> None:
    hand.serve(hand.configure("lone", v=model_artifact("lone", name="1")))
    with pytest.raises(ClientError, match="Could not find variant w"):
        hand.sagemaker.update_endpoint_weights_and_capacities(
            EndpointName="by-hand", DesiredWeightsAndCapacities=[{"VariantName": "w", "DesiredWeight": 2}]
        )


def test_an_endpoint_that_never_served_takes_a_working_model_or_goes(hand: ByHand, model_artifact: Artifact) -> None:
    broken = hand.configure("broken", v=model_artifact("by-hand-broken", fail=""))
    assert hand.serve(broken) == "Failed"
    shown = hand.sagemaker.describe_endpoint(EndpointName="by-hand")
    assert "made with another version" in shown["FailureReason"]
    with pytest.raises(ClientError, match="Endpoint by-hand of account 000000000000 not found"):
        hand.version()
    working = hand.configure("working", v=model_artifact("working", name="1"))
    assert hand.update(working, routed("ALL_AT_ONCE")) == "InService"
    assert hand.version() == "1"
    hand.sagemaker.delete_endpoint(EndpointName="by-hand")
    assert hand.serve(broken) == "Failed"
    hand.sagemaker.delete_endpoint(EndpointName="by-hand")
    assert hand.sagemaker.list_endpoints(NameContains="by-hand")["Endpoints"] == []
