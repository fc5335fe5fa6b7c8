"""The permissions boundary of AWS::IAM::Role: MiniStack evaluates boundaries, but its type leaves the property out."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from ministack.services import iam
from ministack.services.cloudformation import provisioners

ROLE = "AWS::IAM::Role"


def install() -> None:
    """Set the boundary whenever a role is made or changed.

    Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-iam-role.html
    """
    handlers = provisioners._RESOURCE_HANDLERS[ROLE]
    handlers["create"] = _bound(handlers["create"], props_at=1)
    handlers["update"] = _bound(handlers["update"], props_at=2)


def _bound(original: Callable[..., Any], *, props_at: int) -> Callable[..., Any]:
    @functools.wraps(original)
    def make(*arguments: Any, **named: Any) -> Any:
        made = original(*arguments, **named)
        _set(made[0], arguments[props_at].get("PermissionsBoundary"))
        return made

    return make


def _set(role: str, boundary: str | None) -> None:
    if boundary is None:
        iam._delete_role_permissions_boundary({"RoleName": [role]})  # without one it refuses, which is as well
        return
    status, _, body = iam._put_role_permissions_boundary({"RoleName": [role], "PermissionsBoundary": [boundary]})
    if status >= 400:
        raise ValueError(f"PutRolePermissionsBoundary failed: {body.decode(errors='replace')}")
