"""CloudFormation types of Lake Formation, made by its API; permissions are kept, not enforced."""

from __future__ import annotations

from typing import Any

from ministack.core.responses import get_account_id
from ministack.services.cloudformation import provisioners

from . import moto_bridge
from .cfn_shapes import parameters
from .cfn_types import Made, Properties, register, same

_PREFIX = "AWS::LakeFormation::"
_GRANT = ("Catalog", "Permissions", "PermissionsWithGrantOption", "Principal", "Resource")
_SETTINGS = {
    "Admins": "DataLakeAdmins",
    "CreateDatabaseDefaultPermissions": "CreateDatabaseDefaultPermissions",
    "CreateTableDefaultPermissions": "CreateTableDefaultPermissions",
}


def install() -> None:
    """Register the types; a change of what cannot be updated makes a new resource."""
    for name, create, update, delete, replacing in (
        ("Resource", _location_create, _location_update, _location_delete, ("ResourceArn",)),
        ("Tag", _tag_create, _tag_update, _tag_delete, ("TagKey", "CatalogId")),
        ("TagAssociation", _tagged_create, same, _tagged_delete, ("LFTags", "Resource")),
        ("PrincipalPermissions", _granted_create, same, _granted_delete, _GRANT),
        ("DataLakeSettings", _settings_create, _settings_update, _settings_delete, ()),
    ):
        register(f"{_PREFIX}{name}", create, update, delete)
        provisioners._REPLACING_PROPERTIES[f"{_PREFIX}{name}"] = replacing


def _lake(operation: str, props: Properties) -> dict[str, Any]:
    return moto_bridge.call("lakeformation", operation, parameters("lakeformation", operation, props))


def _location_create(logical_id: str, props: Properties, stack_name: str) -> Made:
    del logical_id, stack_name
    _lake("RegisterResource", props)
    return props["ResourceArn"], {}


def _location_update(physical_id: str, old: Properties, new: Properties, stack_name: str) -> Made:
    _location_delete(physical_id, old)
    return _location_create("", new, stack_name)


def _location_delete(physical_id: str, props: Properties) -> None:
    del props
    _lake("DeregisterResource", {"ResourceArn": physical_id})


def _tag_create(logical_id: str, props: Properties, stack_name: str) -> Made:
    del logical_id, stack_name
    _lake("CreateLFTag", props)
    return f"{props.get('CatalogId') or get_account_id()}|{props['TagKey']}", {}


def _tag_update(physical_id: str, old: Properties, new: Properties, stack_name: str) -> Made:
    del stack_name
    before, after = set(old["TagValues"]), set(new["TagValues"])
    changes = {"TagValuesToAdd": sorted(after - before), "TagValuesToDelete": sorted(before - after)}
    given = {key: values for key, values in changes.items() if values}
    if given:
        _lake("UpdateLFTag", {"TagKey": new["TagKey"], **given})
    return physical_id, {}


def _tag_delete(physical_id: str, props: Properties) -> None:
    del props
    catalog, _, key = physical_id.partition("|")
    _lake("DeleteLFTag", {"CatalogId": catalog, "TagKey": key})


def _tagged_create(logical_id: str, props: Properties, stack_name: str) -> Made:
    """Tag a resource; moto does not ask whether a tag of a named catalog exists."""
    for tag in props["LFTags"]:
        named = {key: tag[key] for key in ("CatalogId", "TagKey") if key in tag}
        known = _lake("GetLFTag", named)["TagValues"]
        if not set(tag["TagValues"]) <= set(known):
            raise ValueError(f"tag {tag['TagKey']} must have one of the values {known}, got {tag['TagValues']}")
    failures = _lake("AddLFTagsToResource", props).get("Failures")
    if failures:
        raise ValueError(f"AddLFTagsToResource failed: {failures}")
    return provisioners._physical_name(stack_name, logical_id, max_len=128), {}


def _tagged_delete(physical_id: str, props: Properties) -> None:
    del physical_id
    _lake("RemoveLFTagsFromResource", props)


def _granted_create(logical_id: str, props: Properties, stack_name: str) -> Made:
    _lake("GrantPermissions", _grant(props))
    name = provisioners._physical_name(stack_name, logical_id, max_len=128)
    return name, {"PrincipalIdentifier": name, "ResourceIdentifier": name}


def _granted_delete(physical_id: str, props: Properties) -> None:
    del physical_id
    _lake("RevokePermissions", _grant(props))


def _grant(props: Properties) -> Properties:
    given = {key: value for key, value in props.items() if key != "Catalog"}
    return {**given, "CatalogId": props.get("Catalog") or get_account_id()}


def _settings_create(logical_id: str, props: Properties, stack_name: str) -> Made:
    """Set or extend the settings of the account; deleting the resource leaves them, as on AWS."""
    del logical_id, stack_name
    known = moto_bridge.call("lakeformation", "GetDataLakeSettings", {})["DataLakeSettings"] or {}
    given = {api: props[name] for name, api in _SETTINGS.items() if name in props}
    if props.get("MutationType") == "APPEND" and "DataLakeAdmins" in given:
        before = known.get("DataLakeAdmins") or []
        given["DataLakeAdmins"] = [*before, *(item for item in given["DataLakeAdmins"] if item not in before)]
    _lake("PutDataLakeSettings", {"DataLakeSettings": {**known, **given}})
    return get_account_id(), {}


def _settings_update(physical_id: str, old: Properties, new: Properties, stack_name: str) -> Made:
    del physical_id, old
    return _settings_create("", new, stack_name)


def _settings_delete(physical_id: str, props: Properties) -> None:
    del physical_id, props
