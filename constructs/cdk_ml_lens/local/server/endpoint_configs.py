"""Endpoint configurations as they were given: moto keeps only some of their members."""

from __future__ import annotations

from .endpoint_state import Params
from .moto_bridge import call

_FORGOTTEN = ("ShadowProductionVariants", "ExecutionRoleArn", "EnableNetworkIsolation", "VpcConfig")
_remembered: dict[str, Params] = {}


def create(params: Params) -> Params:
    """Create a configuration in moto and remember what moto does not."""
    answer = call("sagemaker", "CreateEndpointConfig", params)
    _remembered[params["EndpointConfigName"]] = {name: params[name] for name in _FORGOTTEN if name in params}
    return answer


def describe(params: Params) -> Params:
    """Return a configuration whole."""
    found = call("sagemaker", "DescribeEndpointConfig", {"EndpointConfigName": params["EndpointConfigName"]})
    return {**found, **_remembered.get(params["EndpointConfigName"], {})}


def delete(params: Params) -> Params:
    """Delete a configuration."""
    _remembered.pop(params["EndpointConfigName"], None)
    return call("sagemaker", "DeleteEndpointConfig", params)
