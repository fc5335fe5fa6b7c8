"""Endpoint configurations as they were given: moto keeps only some of their members."""

from __future__ import annotations

from ministack.core.responses import get_account_id, get_region

from .endpoint_state import Params
from .moto_bridge import ApiError, call

_FORGOTTEN = (
    "ProductionVariants",
    "ShadowProductionVariants",
    "ExecutionRoleArn",
    "EnableNetworkIsolation",
    "VpcConfig",
)
_ROLE = "arn:aws:iam::000000000000:role/none"
_remembered: dict[str, Params] = {}


def create(params: Params) -> Params:
    """Create a configuration in moto and remember what moto does not."""
    name = params["EndpointConfigName"]
    if name in _remembered:
        arn = f"arn:aws:sagemaker:{get_region()}:{get_account_id()}:endpoint-config/{name.lower()}"
        raise ApiError("ValidationException", f'Cannot create already existing endpoint configuration "{arn}".')
    if all("ModelName" in item for item in params["ProductionVariants"]):
        answer = call("sagemaker", "CreateEndpointConfig", params)
    else:
        answer = _create_host(params)
    _remembered[name] = {key: params[key] for key in _FORGOTTEN if key in params}
    return answer


def _create_host(params: Params) -> Params:
    """Create a configuration that hosts inference components; moto knows none without a model, so it gets one."""
    model = {"ModelName": "hosts-inference-components", "ExecutionRoleArn": params.get("ExecutionRoleArn", _ROLE)}
    call("sagemaker", "CreateModel", model)
    variants = [{"ModelName": model["ModelName"], **item} for item in params["ProductionVariants"]]
    try:
        return call("sagemaker", "CreateEndpointConfig", {**params, "ProductionVariants": variants})
    finally:
        call("sagemaker", "DeleteModel", {"ModelName": model["ModelName"]})


def describe(params: Params) -> Params:
    """Return a configuration whole."""
    found = call("sagemaker", "DescribeEndpointConfig", {"EndpointConfigName": params["EndpointConfigName"]})
    return {**found, **_remembered.get(params["EndpointConfigName"], {})}


def delete(params: Params) -> Params:
    """Delete a configuration."""
    _remembered.pop(params["EndpointConfigName"], None)
    return call("sagemaker", "DeleteEndpointConfig", params)
