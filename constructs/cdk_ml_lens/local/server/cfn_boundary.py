"""The permissions boundary of AWS::IAM::Role: MiniStack evaluates boundaries, but its type leaves the property out."""

from __future__ import annotations

from ministack.services import iam
from ministack.services.cloudformation import provisioners

from .cfn_types import Made, Properties

ROLE = "AWS::IAM::Role"


def install() -> None:
    """Set the boundary whenever a role is made or changed.

    Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-iam-role.html
    """
    handlers = provisioners._RESOURCE_HANDLERS[ROLE]
    create, update, delete = handlers["create"], handlers["update"], handlers["delete"]

    def bound_create(logical_id: str, props: Properties, stack_name: str) -> Made:
        made: Made = create(logical_id, props, stack_name)
        try:
            _set(made[0], props.get("PermissionsBoundary"))
        except ValueError:
            delete(made[0], props)  # CloudFormation knows no physical id yet, so nobody else would
            raise
        return made

    def bound_update(physical_id: str, old: Properties, new: Properties, *more: str) -> Made:
        made: Made = update(physical_id, old, new, *more)
        _set(made[0], new.get("PermissionsBoundary"))
        return made

    handlers.update(create=bound_create, update=bound_update)


def _set(role: str, boundary: str | None) -> None:
    if boundary is None:
        iam._delete_role_permissions_boundary({"RoleName": [role]})  # without one it refuses, which is as well
        return
    status, _, body = iam._put_role_permissions_boundary({"RoleName": [role], "PermissionsBoundary": [boundary]})
    if status >= 400:
        raise ValueError(f"PutRolePermissionsBoundary failed: {body.decode(errors='replace')}")
