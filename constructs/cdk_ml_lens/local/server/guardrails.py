"""Deployment guardrails: traffic moves to the new fleet in steps, watched by alarms, and back if one goes off."""

from __future__ import annotations

import logging
import math
import time
from dataclasses import dataclass

from . import alarms, scaled_time
from .endpoint_state import Endpoint, Fleet, Params
from .moto_bridge import ApiError

LOOK_SECONDS = 0.1
logger = logging.getLogger("laptop_cloud")


@dataclass(frozen=True, kw_only=True)
class Step:
    """A share of the traffic on the new fleet, and how long it is watched, in AWS's seconds."""

    share: float
    watch: float


def refuse(deployment: Params, live: Fleet, config: Params) -> None:
    """Refuse what SageMaker excludes from guardrails, and what this cloud cannot plan.

    Source: https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails-exclusions.html
    """
    if not deployment:
        return
    old = sorted(variant.name for variant in live.variants)
    new = sorted(item["VariantName"] for item in config["ProductionVariants"])
    if old != new:
        raise ApiError("ValidationException", f"Deployment guardrails need the same variant names: {old} became {new}")
    if "RollingUpdatePolicy" in deployment and len(new) > 1:
        raise ApiError("ValidationException", "Rolling deployments do not support multi-variant endpoints")
    plan(deployment)


def plan(deployment: Params) -> list[Step]:
    """Return the steps of a DeploymentConfig; without one, everything moves at once, unwatched."""
    if rolling := deployment.get("RollingUpdatePolicy"):
        wait = float(rolling["WaitIntervalInSeconds"])
        return _even(_fraction(rolling["MaximumBatchSize"]), wait, last=wait)
    policy = deployment.get("BlueGreenUpdatePolicy")
    if policy is None:
        return [Step(share=1.0, watch=0.0)]
    routing, last = policy["TrafficRoutingConfiguration"], float(policy.get("TerminationWaitInSeconds", 0))
    wait = float(routing.get("WaitIntervalInSeconds") or 0)
    if routing["Type"] == "CANARY":
        return [Step(share=_fraction(routing["CanarySize"]), watch=wait), Step(share=1.0, watch=last)]
    if routing["Type"] == "LINEAR":
        return _even(_fraction(routing["LinearStepSize"]), wait, last=last)
    return [Step(share=1.0, watch=last)]


def shift(endpoint: Endpoint, incoming: Fleet, deployment: Params) -> str | None:
    """Move the traffic of ``endpoint`` to ``incoming``; return the alarm that sent it back, or None."""
    names = [alarm["AlarmName"] for alarm in (deployment.get("AutoRollbackConfiguration") or {}).get("Alarms", [])]
    endpoint.incoming = incoming
    for step in plan(deployment):
        endpoint.share = step.share
        logger.info("endpoint %s: %.0f %% on the new fleet", endpoint.name, step.share * 100)
        raised = _watch(names, scaled_time.seconds(step.watch))
        if raised is not None:
            logger.warning("endpoint %s: rolled back by alarm %s", endpoint.name, raised)
            endpoint.share, endpoint.incoming = 0.0, None
            return raised
    endpoint.live, endpoint.share, endpoint.incoming = incoming, 0.0, None
    return None


def _watch(names: list[str], seconds: float) -> str | None:
    until = time.monotonic() + seconds
    while True:
        raised = next((name for name in names if alarms.state_of(name) == "ALARM"), None)
        if raised is not None or time.monotonic() >= until:
            return raised
        time.sleep(LOOK_SECONDS)


def _even(size: float, wait: float, *, last: float) -> list[Step]:
    count = math.ceil(1 / size - 1e-9)
    shares = [min(1.0, size * (number + 1)) for number in range(count)]
    return [Step(share=share, watch=last if share >= 1.0 else wait) for share in shares]


def _fraction(size: Params) -> float:
    if size["Type"] != "CAPACITY_PERCENT":
        raise ApiError("ValidationException", "the laptop cloud knows capacity sizes in percent only")
    return float(size["Value"]) / 100
