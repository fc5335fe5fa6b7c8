"""Request validation of API Gateway by CloudFormation: MiniStack validates, but its CloudFormation forgets by what."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from ministack.services import apigateway_v1
from ministack.services.cloudformation import provisioners

Properties = dict[str, Any]
Made = tuple[str, dict[str, Any]]  # physical id, attributes
METHOD = "AWS::ApiGateway::Method"


def install() -> None:
    """Make validators for real, and give each method the one that its template names."""
    handlers = provisioners._RESOURCE_HANDLERS
    handlers["AWS::ApiGateway::RequestValidator"] = {"create": _validator_create, "delete": _validator_delete}
    method = handlers[METHOD]
    handlers[METHOD] = {**method, "create": _validated(method["create"]), "update": _validated(method["update"])}


def _validator_create(logical_id: str, props: Properties, stack_name: str) -> Made:
    del logical_id, stack_name
    names = ("name", "validateRequestBody", "validateRequestParameters")
    given = {name: props[key] for name in names if (key := name[0].upper() + name[1:]) in props}
    status, _, body = apigateway_v1._create_request_validator(props["RestApiId"], given)
    if status >= 400:
        raise ValueError(f"CreateRequestValidator failed: {body.decode(errors='replace')}")
    identity = json.loads(body)["id"]
    return identity, {"RequestValidatorId": identity}


def _validator_delete(physical_id: str, props: Properties) -> None:
    apigateway_v1._delete_request_validator(props["RestApiId"], physical_id)


def _validated(make: Callable[..., Made]) -> Callable[..., Made]:
    """Return a create or update of a method that also sets its validator; the new properties come second to last."""

    def made(*arguments: Any) -> Made:
        result = make(*arguments)
        props = arguments[-2]
        change = {"op": "replace", "path": "/requestValidatorId", "value": props.get("RequestValidatorId")}
        apigateway_v1._update_method(
            props["RestApiId"], props["ResourceId"], props["HttpMethod"], {"patchOperations": [change]}
        )
        return result

    return made
