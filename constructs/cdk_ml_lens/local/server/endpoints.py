"""Endpoint lifecycle: create, update, weights, delete, with real model servers behind each state."""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable

from .endpoint_state import Endpoint, Params, Variant, described, show_in_service
from .model_process import ModelFailedError, ModelProcess, ModelProcesses
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
            "UpdateEndpoint": self.update,
            "UpdateEndpointWeightsAndCapacities": self.reweight,
            "DeleteEndpoint": self.delete,
        }

    def find(self, name: str) -> Endpoint | None:
        """Return the endpoint if it serves."""
        endpoint = self._endpoints.get(name)
        return endpoint if endpoint is not None and endpoint.variants else None

    def create(self, params: Params) -> Params:
        """Create an endpoint; it is ``Creating`` until its models answer."""
        name = params["EndpointName"]
        if name in self._endpoints:
            raise ApiError("ValidationException", f'Cannot create already existing endpoint "{name}".')
        config = _config(params["EndpointConfigName"])
        answer = call("sagemaker", "CreateEndpoint", params)
        self._endpoints[name] = Endpoint(name=name)
        self._deploy(self._endpoints[name], config, "Creating", kept_weights={})
        return answer

    def update(self, params: Params) -> Params:
        """Move an endpoint to another configuration; the old one serves until the new one answers."""
        endpoint = self._at_rest(params["EndpointName"])
        config = _config(params["EndpointConfigName"])
        kept = {}
        if params.get("RetainAllVariantProperties"):
            kept = {variant.name: variant.weight for variant in endpoint.variants}
        self._deploy(endpoint, config, "Updating", kept_weights=kept)
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
        for process in endpoint.processes().values():
            process.stop()
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

    def _deploy(self, endpoint: Endpoint, config: Params, status: str, *, kept_weights: dict[str, float]) -> None:
        endpoint.settled.clear()
        described(endpoint.name).endpoint_status = status
        context = contextvars.copy_context()
        arguments = (self._bring_up, endpoint, config, kept_weights)
        threading.Thread(target=context.run, args=arguments, daemon=True).start()

    def _bring_up(self, endpoint: Endpoint, config: Params, kept_weights: dict[str, float]) -> None:
        before = endpoint.processes()
        started: dict[str, ModelProcess] = {}
        shown = described(endpoint.name)
        try:
            for model_name in dict.fromkeys(item["ModelName"] for item in config["ProductionVariants"]):
                started[model_name] = before.get(model_name) or self._start(model_name)
            for process in started.values():
                process.wait_until_ready()
            endpoint.variants = [_variant(item, started, kept_weights) for item in config["ProductionVariants"]]
            endpoint.config = config
            show_in_service(shown, endpoint)
            _stop_later([process for name, process in before.items() if name not in started])
        except (ModelFailedError, ApiError) as error:
            for name, process in started.items():
                if name not in before:
                    process.stop()
            shown.failure_reason = str(error)
            shown.endpoint_status = "InService" if endpoint.variants else "Failed"
        finally:
            endpoint.settled.set()

    def _start(self, model_name: str) -> ModelProcess:
        model = call("sagemaker", "DescribeModel", {"ModelName": model_name})
        containers = model.get("Containers") or []
        container = model.get("PrimaryContainer") or (containers[0] if containers else {})
        return self._processes.start(model_name, container)


def _config(name: str) -> Params:
    return call("sagemaker", "DescribeEndpointConfig", {"EndpointConfigName": name})


def _variant(item: Params, processes: dict[str, ModelProcess], kept: dict[str, float]) -> Variant:
    weight = float(item.get("InitialVariantWeight", 1.0))
    return Variant(
        name=item["VariantName"],
        process=processes[item["ModelName"]],
        weight=kept.get(item["VariantName"], weight),
        instances=int(item.get("InitialInstanceCount", 1)),
    )


def _stop_later(processes: list[ModelProcess]) -> None:
    for process in processes:
        timer = threading.Timer(DRAIN_SECONDS, process.stop)
        timer.daemon = True
        timer.start()
