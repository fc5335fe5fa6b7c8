"""Endpoint lifecycle: create, update, weights, delete, with real model servers behind each state."""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable

from . import endpoint_configs, guardrails
from .endpoint_state import Endpoint, Fleet, Params, described, show_in_service
from .fleets import bring_up
from .model_process import ModelFailedError, ModelProcesses
from .moto_bridge import ApiError, call

DRAIN_SECONDS = 1.0  # calls that began on a replaced model may end on it


class Endpoints:
    """The endpoints of this cloud.

    Parameters
    ----------
    processes
        Starts and ends model servers.
    """

    def __init__(self, processes: ModelProcesses) -> None:
        self._processes = processes
        self._endpoints: dict[str, Endpoint] = {}
        self.operations: dict[str, Callable[[Params], Params]] = {
            "CreateEndpoint": self.create,
            "CreateEndpointConfig": endpoint_configs.create,
            "DescribeEndpointConfig": endpoint_configs.describe,
            "DeleteEndpointConfig": endpoint_configs.delete,
            "UpdateEndpoint": self.update,
            "UpdateEndpointWeightsAndCapacities": self.reweight,
            "DeleteEndpoint": self.delete,
        }

    def find(self, name: str) -> Endpoint | None:
        """Return the endpoint if it serves."""
        endpoint = self._endpoints.get(name)
        return endpoint if endpoint is not None and endpoint.live is not None else None

    def create(self, params: Params) -> Params:
        """Create an endpoint; it is ``Creating`` until its models answer."""
        name = params["EndpointName"]
        if name in self._endpoints:
            raise ApiError("ValidationException", f'Cannot create already existing endpoint "{name}".')
        config = endpoint_configs.describe(params)
        answer = call("sagemaker", "CreateEndpoint", {key: params[key] for key in params if key != "DeploymentConfig"})
        self._endpoints[name] = Endpoint(name=name)
        self._begin(self._endpoints[name], "Creating", config, deployment={}, retain=False)
        return answer

    def update(self, params: Params) -> Params:
        """Move an endpoint to another configuration, behind its guardrails; the old fleet serves meanwhile."""
        endpoint = self._at_rest(params["EndpointName"])
        config = endpoint_configs.describe(params)
        deployment = params.get("DeploymentConfig") or {}
        if endpoint.live is not None:
            guardrails.refuse(deployment, endpoint.live, config)
        retain = bool(params.get("RetainAllVariantProperties"))
        self._begin(endpoint, "Updating", config, deployment=deployment, retain=retain)
        return {"EndpointArn": described(endpoint.name).arn}

    def reweight(self, params: Params) -> Params:
        """Change weights and instance counts of variants at once."""
        endpoint = self._at_rest(params["EndpointName"])
        by_name = {variant.name: variant for variant in endpoint.variants}
        for desired in params["DesiredWeightsAndCapacities"]:
            variant = by_name.get(desired["VariantName"])
            if variant is None:
                raise ApiError("ValidationException", f"Could not find variant {desired['VariantName']}")
            variant.weight = float(desired.get("DesiredWeight", variant.weight))
            variant.instances = int(desired.get("DesiredInstanceCount", variant.instances))
        shown = described(endpoint.name)
        shown.production_variants = [variant.as_described() for variant in endpoint.variants]
        return {"EndpointArn": shown.arn}

    def delete(self, params: Params) -> Params:
        """Delete an endpoint and end its model servers."""
        endpoint = self._at_rest(params["EndpointName"])
        answer = call("sagemaker", "DeleteEndpoint", params)
        del self._endpoints[endpoint.name]
        if endpoint.live is not None:
            endpoint.live.stop()
        return answer

    def wait(self, name: str, timeout: float = 180.0) -> tuple[str, str | None]:
        """Return status and failure reason once nothing is under way, or after ``timeout`` seconds."""
        self._existing(name).settled.wait(timeout)
        shown = described(name)
        return shown.endpoint_status, shown.failure_reason

    def _existing(self, name: str) -> Endpoint:
        if name not in self._endpoints:
            raise ApiError("ValidationException", f'Could not find endpoint "{name}".')
        return self._endpoints[name]

    def _at_rest(self, name: str) -> Endpoint:
        endpoint = self._existing(name)
        if not endpoint.settled.is_set():
            raise ApiError("ValidationException", f'Cannot update in-progress endpoint "{name}".')
        return endpoint

    def _begin(self, endpoint: Endpoint, status: str, config: Params, *, deployment: Params, retain: bool) -> None:
        endpoint.settled.clear()
        described(endpoint.name).endpoint_status = status
        context = contextvars.copy_context()
        arguments = (self._deploy, endpoint, config, deployment, retain)
        threading.Thread(target=context.run, args=arguments, daemon=True).start()

    def _deploy(self, endpoint: Endpoint, config: Params, deployment: Params, retain: bool) -> None:
        """Bring the new fleet up and move to it; a rollback leaves the old one, InService and without a reason."""
        shown, before = described(endpoint.name), endpoint.live
        try:
            fleet = bring_up(config, processes=self._processes, before=before, retain=retain)
            rolled_back = guardrails.shift(endpoint, fleet, deployment if before is not None else {})
            show_in_service(shown, endpoint)
            _stop_later(fleet if rolled_back is not None else before, kept=endpoint.live)
        except (ModelFailedError, ApiError) as error:
            shown.failure_reason = str(error)
            shown.endpoint_status = "Failed" if endpoint.live is None else "InService"
        finally:
            endpoint.settled.set()


def _stop_later(fleet: Fleet | None, *, kept: Fleet | None) -> None:
    if fleet is None or fleet is kept:
        return
    timer = threading.Timer(DRAIN_SECONDS, fleet.stop, kwargs={"but": kept})
    timer.daemon = True
    timer.start()
