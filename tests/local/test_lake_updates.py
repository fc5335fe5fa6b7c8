"""Updates of a governed lake's stack on the laptop cloud: tags, locations, settings, trails; what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from cdk_ml_lens.local import DeployError, LaptopCloud
from tests.local.conftest import Deploy
from tests.local.job_support import ROLE
from tests.local.support import role

pytestmark = pytest.mark.laptop_cloud
ACCOUNT = {"Ref": "AWS::AccountId"}


def typed(kind: str, **properties: Any) -> dict[str, Any]:
    return {"Type": kind, "Properties": properties}


def tag(*values: str) -> dict[str, Any]:
    return typed("AWS::LakeFormation::Tag", CatalogId=ACCOUNT, TagKey="layer", TagValues=list(values))


def test_a_tag_gets_and_loses_values_in_place(laptop_cloud: LaptopCloud, deploy_template: Deploy) -> None:
    def values() -> list[str]:
        return sorted(laptop_cloud.client("lakeformation").get_lf_tag(TagKey="layer")["TagValues"])

    deploy_template("Layers", {"Tag": tag("raw", "clean")})
    deploy_template("Layers", {"Tag": tag("raw", "modelled")})
    assert values() == ["modelled", "raw"]
    deploy_template("Layers", {"Tag": tag("modelled", "raw")})  # another order is no change
    assert values() == ["modelled", "raw"]


@pytest.mark.parametrize(("key", "known"), [("layer", r"\['raw'\]"), ("unheard-of", r"\[\]")])
def test_a_tag_that_does_not_exist_is_refused(key: str, known: str, deploy_template: Deploy) -> None:
    database = typed("AWS::Glue::Database", CatalogId=ACCOUNT, DatabaseInput={"Name": "untagged"})
    tagged = typed(
        "AWS::LakeFormation::TagAssociation",
        LFTags=[{"CatalogId": ACCOUNT, "TagKey": key, "TagValues": ["modeled"]}],
        Resource={"Database": {"CatalogId": ACCOUNT, "Name": {"Ref": "Database"}}},
    )
    resources = {"Tag": tag("raw"), "Database": database, "Tagged": {**tagged, "DependsOn": "Tag"}}
    with pytest.raises(DeployError, match=rf"tag {key} must have one of the values {known}, got \['modeled'\]"):
        deploy_template(f"Untagged-{key}", resources)


def test_a_location_changes_its_role_in_place(laptop_cloud: LaptopCloud, deploy_template: Deploy) -> None:
    def location(name: str) -> dict[str, Any]:
        arn = {"Fn::GetAtt": [name, "Arn"]}
        registered = typed(
            "AWS::LakeFormation::Resource",
            ResourceArn={"Fn::GetAtt": ["Bucket", "Arn"]},
            UseServiceLinkedRole=False,
            RoleArn=arn,
        )
        roles = {each: role("lakeformation.amazonaws.com", RoleName=f"reads-{each}") for each in ("First", "Second")}
        return {**roles, "Bucket": typed("AWS::S3::Bucket", BucketName="located"), "Location": registered}

    deploy_template("Located", location("First"))
    deploy_template("Located", location("Second"))
    listed = laptop_cloud.client("lakeformation").list_resources()["ResourceInfoList"]
    (role_arn,) = [item["RoleArn"] for item in listed if item["ResourceArn"].endswith(":located")]
    assert role_arn.endswith("/reads-Second")


def test_settings_keep_their_administrators_and_take_new_defaults(
    laptop_cloud: LaptopCloud, deploy_template: Deploy
) -> None:
    def settings(**properties: Any) -> dict[str, Any]:
        return {"Settings": typed("AWS::LakeFormation::DataLakeSettings", **properties)}

    def administrators() -> list[str]:
        found = laptop_cloud.client("lakeformation").get_data_lake_settings()["DataLakeSettings"]["DataLakeAdmins"]
        return [item["DataLakePrincipalIdentifier"] for item in found]

    admin = {"DataLakePrincipalIdentifier": ROLE}
    deploy_template("Lords", settings(Admins=[admin], MutationType="REPLACE"))
    deploy_template("Lords", settings(CreateTableDefaultPermissions=[]))
    assert administrators() == [ROLE]
    second = {"DataLakePrincipalIdentifier": f"{ROLE}-two"}
    deploy_template("Lords", settings(Admins=[admin, second], MutationType="APPEND"))
    assert administrators() == [ROLE, f"{ROLE}-two"]
    deploy_template("Lords", settings(Admins=[second], MutationType="REPLACE"))
    assert administrators() == [f"{ROLE}-two"]


def test_a_trail_without_selectors_logs_management_events(laptop_cloud: LaptopCloud, deploy_template: Deploy) -> None:
    trail = typed("AWS::CloudTrail::Trail", IsLogging=True, S3BucketName={"Ref": "Bucket"})
    name = deploy_template("Plain", {"Bucket": typed("AWS::S3::Bucket"), "Trail": trail}, Name={"Ref": "Trail"})
    client = laptop_cloud.client("cloudtrail")
    assert client.get_trail_status(Name=name.outputs["Name"])["IsLogging"] is True
    assert client.get_event_selectors(TrailName=name.outputs["Name"]).get("AdvancedEventSelectors", []) == []


def test_a_second_security_configuration_of_a_name_is_refused(deploy_template: Deploy) -> None:
    one = typed("AWS::Glue::SecurityConfiguration", Name="only-one", EncryptionConfiguration={})
    with pytest.raises(DeployError, match="create_security_configuration failed.*only-one already exists"):
        deploy_template("Twice", {"First": one, "Second": {**one, "DependsOn": "First"}})
