"""The laptop cloud: deploys the template that AWS would get on this machine, for tests and demos."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cdk_ml_lens.local.cloud import LaptopCloud, ModelRuntime
    from cdk_ml_lens.local.deployer import Deployment
    from cdk_ml_lens.local.server_process import CloudError
    from cdk_ml_lens.local.stack_state import DeployError

_HOMES = {
    "CloudError": "server_process",
    "DeployError": "stack_state",
    "Deployment": "deployer",
    "LaptopCloud": "cloud",
    "ModelRuntime": "cloud",
}
__all__ = ("CloudError", "DeployError", "Deployment", "LaptopCloud", "ModelRuntime")


def __getattr__(name: str) -> Any:
    """Import a public name on first use: boto3 takes its time, and a pytest plugin lives here."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__} has no attribute {name}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
