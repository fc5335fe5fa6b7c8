"""Models: moto keeps them; a container that names a model package serves what the package held when it was made."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .model_groups import prefix
from .model_packages import ModelPackages
from .moto_bridge import ApiError, call

Params = dict[str, Any]
_resolved: dict[str, list[Params]] = {}


class Models:
    """The models of this cloud.

    Parameters
    ----------
    packages
        Where containers that name a package come from.
    """

    def __init__(self, packages: ModelPackages) -> None:
        self._packages = packages
        self.operations: dict[str, Callable[[Params], Params]] = {
            "CreateModel": self.create,
            "DeleteModel": self.delete,
        }

    def create(self, params: Params) -> Params:
        """Answer CreateModel; SageMaker itself does not ask whether a package is approved."""
        name = params["ModelName"]
        if _exists(name):
            arn = f"{prefix()}:model/{name.lower()}"
            raise ApiError("ValidationException", f'Cannot create already existing model "{arn}".')
        given = params.get("Containers") or [params.get("PrimaryContainer") or {}]
        found = [container for item in given for container in self._containers(item)]
        answer = call("sagemaker", "CreateModel", params)
        _resolved[name] = found
        return answer

    def delete(self, params: Params) -> Params:
        """Answer DeleteModel."""
        answer = call("sagemaker", "DeleteModel", params)
        _resolved.pop(params["ModelName"], None)
        return answer

    def _containers(self, given: Params) -> list[Params]:
        """Return a container, or those of the package that it names, with its own environment."""
        if "ModelPackageName" not in given:
            return [given]
        package = self._packages.existing(given["ModelPackageName"])
        inside = (package.get("InferenceSpecification") or {}).get("Containers") or []
        if not inside:
            raise ApiError("ValidationException", f"{package['ModelPackageArn']} has no InferenceSpecification.")
        own = given.get("Environment") or {}
        return [{**item, "Environment": {**(item.get("Environment") or {}), **own}} for item in inside]


def containers(model_name: str) -> list[Params]:
    """Return what serves a model: its containers, those of packages in their place.

    Raises
    ------
    ApiError
        If there is no such model.
    """
    model = call("sagemaker", "DescribeModel", {"ModelName": model_name})
    given: list[Params] = model.get("Containers") or [model.get("PrimaryContainer") or {}]
    return _resolved.get(model_name, given)


def _exists(name: str) -> bool:
    try:
        call("sagemaker", "DescribeModel", {"ModelName": name})
    except ApiError:
        return False
    return True
