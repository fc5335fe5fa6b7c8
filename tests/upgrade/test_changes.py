"""An update that loses data is seen before it is deployed, and told in words that say what to undo."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from tests.upgrade.changes import losses

BUCKET = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "readings"}, "DeletionPolicy": "Retain"}
TABLE = {
    "Type": "AWS::DynamoDB::Table",
    "Properties": {"KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}], "BillingMode": "PAY_PER_REQUEST"},
}
DATABASE = {"Type": "AWS::Glue::Database", "Properties": {"CatalogId": "1", "DatabaseName": "lake"}}
CATALOGUED = {
    "Type": "AWS::Glue::Table",
    "Properties": {"DatabaseName": {"Ref": "Database"}, "TableInput": {"Name": "raw", "Retention": 1}},
}
ROLE = {"Type": "AWS::IAM::Role", "Properties": {"RoleName": "role"}}
OLD = {
    "Resources": {"Bucket": BUCKET, "Ledger": TABLE, "Database": DATABASE, "Table": CATALOGUED, "Role": ROLE},
}


def changed(logical_id: str, path: str, value: Any) -> dict[str, Any]:
    new = copy.deepcopy(OLD)
    place: Any = new["Resources"][logical_id]["Properties"]
    *steps, last = path.split(".")
    for step in steps:
        place = place[step]
    place[last] = value
    return new


def without(logical_id: str) -> dict[str, Any]:
    return {"Resources": {name: body for name, body in OLD["Resources"].items() if name != logical_id}}


def test_the_same_template_loses_nothing() -> None:
    assert losses(OLD, copy.deepcopy(OLD)) == []


def test_a_removed_bucket_is_a_loss() -> None:
    (loss,) = losses(OLD, without("Bucket"))
    assert str(loss) == "AWS::S3::Bucket Bucket is deleted: the new template has no such logical id"


def test_a_renamed_construct_is_named() -> None:
    new = without("Ledger")
    new["Resources"]["Ledger2"] = copy.deepcopy(TABLE)
    (loss,) = losses(OLD, new)
    assert "Ledger2 is new and has the same properties, was a construct's id renamed?" in str(loss)


@pytest.mark.parametrize(
    ("logical_id", "path", "value", "said"),
    [
        ("Bucket", "BucketName", "other", 'BucketName cannot be updated, and changes from "readings" to "other"'),
        ("Ledger", "KeySchema", [{"AttributeName": "key", "KeyType": "HASH"}], "KeySchema cannot be updated"),
        ("Ledger", "TableName", "ledger", "TableName cannot be updated, and is added"),
        ("Table", "TableInput.Name", "other", "TableInput.Name cannot be updated"),
    ],
)
def test_a_change_that_replaces_is_a_loss(logical_id: str, path: str, value: Any, said: str) -> None:
    (loss,) = losses(OLD, changed(logical_id, path, value))
    assert loss.logical_id == logical_id
    assert said in str(loss)


def test_what_refers_to_a_replaced_resource_by_a_fixed_property_is_replaced_too() -> None:
    found = {loss.logical_id: str(loss) for loss in losses(OLD, changed("Database", "DatabaseName", "lake2"))}
    assert set(found) == {"Database", "Table"}
    assert "DatabaseName refers to Database, which is replaced" in found["Table"]


@pytest.mark.parametrize(
    ("logical_id", "path", "value"),
    [("Ledger", "BillingMode", "PROVISIONED"), ("Table", "TableInput.Retention", 2), ("Role", "RoleName", "another")],
)
def test_what_is_updated_in_place_or_holds_nothing_is_no_loss(logical_id: str, path: str, value: Any) -> None:
    assert losses(OLD, changed(logical_id, path, value)) == []


def test_another_type_under_the_same_id_is_a_loss() -> None:
    new = copy.deepcopy(OLD)
    new["Resources"]["Bucket"]["Type"] = "AWS::SQS::Queue"
    assert "its type becomes AWS::SQS::Queue" in str(losses(OLD, new)[0])
