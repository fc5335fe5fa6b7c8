"""Lake Formation, where it governs: every grant also sets its permissions; where it does not, none of it is made."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam

from cdk_ml_lens import Column, DataLake, LakeFormation, PropError, Table
from tests.unit.templates import Template

Synth = Callable[[cdk.Stack], Template]
FEATURES = Table(name="features", columns=[Column(name="a")], versioned=True)


@pytest.fixture
def role(stack: cdk.Stack) -> iam.Role:
    return iam.Role(stack, "Reader", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))


def permissions(template: Template) -> list[dict[str, Any]]:
    found = template.of_type("AWS::LakeFormation::PrincipalPermissions").values()
    return [item["Properties"] for item in found]


def test_zones_are_registered_and_tagged(stack: cdk.Stack, synth: Synth) -> None:
    DataLake(stack, "Lake", governance=LakeFormation())
    template = synth(stack)
    tag = template.only("AWS::LakeFormation::Tag")
    assert tag["TagKey"] == "test_lake_zone"
    assert tag["TagValues"] == ["raw", "modelled", "enhanced", "transformed"]
    assert len(template.of_type("AWS::LakeFormation::Resource")) == 4
    associations = template.of_type("AWS::LakeFormation::TagAssociation").values()
    assert [item["Properties"]["LFTags"][0]["TagValues"] for item in associations] == [
        ["raw"],
        ["modelled"],
        ["enhanced"],
        ["transformed"],
    ]
    for database in template.of_type("AWS::Glue::Database").values():
        assert database["Properties"]["DatabaseInput"]["CreateTableDefaultPermissions"] == []
    for id in template.of_type("AWS::LakeFormation::Resource"):
        assert any("GovernanceRoleDefaultPolicy" in other for other in template.depends_on(id))


def test_reading_a_zone_sets_lake_formation_iam_and_key(stack: cdk.Stack, role: iam.Role, synth: Synth) -> None:
    DataLake(stack, "Lake", governance=LakeFormation()).grant_read("raw", role)
    template = synth(stack)
    database, table = permissions(template)
    assert database["Permissions"] == ["DESCRIBE"]
    assert table["Permissions"] == ["DESCRIBE", "SELECT"]
    policy = table["Resource"]["LFTagPolicy"]
    assert policy["ResourceType"] == "TABLE"
    assert policy["Expression"] == [{"TagKey": "test_lake_zone", "TagValues": ["raw"]}]
    assert {"lakeformation:GetDataAccess", "kms:Decrypt", "s3:GetObject"} <= template.actions("Reader")


def test_a_second_grant_extends_the_first(stack: cdk.Stack, role: iam.Role, synth: Synth) -> None:
    lake = DataLake(stack, "Lake", governance=LakeFormation())
    lake.grant_read("raw", role)
    lake.grant_write("raw", role)
    lake.grant_write("raw", role)
    assert [item["Permissions"] for item in permissions(synth(stack))] == [
        ["DESCRIBE"],
        ["DESCRIBE", "INSERT", "SELECT"],
    ]


def test_who_publishes_may_alter_and_reach_the_place(stack: cdk.Stack, role: iam.Role, synth: Synth) -> None:
    lake = DataLake(stack, "Lake", governance=LakeFormation())
    lake.add_table(FEATURES, "transformed").grant_publish(role)
    table, place = permissions(synth(stack))
    assert table["Resource"]["Table"]["Name"] == "features"
    assert table["Permissions"] == ["ALTER", "DELETE", "DESCRIBE", "INSERT", "SELECT"]
    assert place["Permissions"] == ["DATA_LOCATION_ACCESS"]
    assert "Zonetransformed" in json.dumps(place["Resource"]["DataLocation"])


def test_administrators_are_added_before_anything_is_granted(stack: cdk.Stack, role: iam.Role, synth: Synth) -> None:
    admin = iam.Role.from_role_arn(stack, "Admin", "arn:aws:iam::123456789012:role/deployer")
    DataLake(stack, "Lake", governance=LakeFormation(admins=[admin])).grant_read("raw", role)
    template = synth(stack)
    settings = template.only("AWS::LakeFormation::DataLakeSettings")
    assert settings["MutationType"] == "APPEND"
    ((settings_id, _),) = template.of_type("AWS::LakeFormation::DataLakeSettings").items()
    for type in ("Tag", "Resource", "PrincipalPermissions"):
        for id in template.of_type(f"AWS::LakeFormation::{type}"):
            assert settings_id in template.depends_on(id), id


def test_without_it_nothing_of_lake_formation_is_made(stack: cdk.Stack, role: iam.Role, synth: Synth) -> None:
    DataLake(stack, "Lake").grant_read("raw", role)
    assert "LakeFormation" not in synth(stack).text()


def test_fails_on_a_grantee_that_lake_formation_cannot_name(stack: cdk.Stack) -> None:
    lake = DataLake(stack, "Lake", governance=LakeFormation())
    with pytest.raises(PropError, match="grantee must be a role or a user for the lake, got 'ServicePrincipal'"):
        lake.grant_read("raw", iam.ServicePrincipal("lambda.amazonaws.com"))


def test_nag_is_clean(stack: cdk.Stack, role: iam.Role, nag: Callable[[cdk.Stack], list[str]]) -> None:
    lake = DataLake(stack, "Lake", governance=LakeFormation())
    lake.grant_read("raw", role)
    lake.add_table(FEATURES, "transformed").grant_publish(role)
    assert nag(stack) == []


def test_a_role_of_another_stack_is_granted_beside_itself(app: cdk.App, stack: cdk.Stack, synth: Synth) -> None:
    other = cdk.Stack(app, "Other")
    theirs = iam.Role(other, "Theirs", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
    DataLake(stack, "Lake", governance=LakeFormation()).grant_read("raw", theirs)
    found = permissions(synth(other))
    assert [item["Permissions"] for item in found] == [["DESCRIBE"], ["DESCRIBE", "SELECT"]]
    assert other.dependencies == [stack]
