"""A lake that Lake Formation governs and CloudTrail watches, as the laptop cloud records it."""

from __future__ import annotations

from pathlib import Path

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam

from cdk_ml_lens import Audit, Column, DataLake, LakeFormation, Table, Zone
from cdk_ml_lens.local import LaptopCloud

pytestmark = pytest.mark.laptop_cloud
COLUMNS = [Column(name="a")]


def governed_stack() -> cdk.Stack:
    """Return a lake that Lake Formation governs and CloudTrail watches, with a reader and a publisher."""
    stack = cdk.Stack(cdk.App(), "Watched")
    admin = iam.Role(stack, "Admin", assumed_by=iam.AccountRootPrincipal())
    lake = DataLake(
        stack, "Lake", zones=[Zone(name="raw")], governance=LakeFormation(admins=[admin]), audit=Audit(reads=False)
    )
    table = lake.add_table(Table(name="telemetry", columns=COLUMNS, versioned=True))
    reader = iam.Role(stack, "Reader", assumed_by=iam.AccountRootPrincipal())
    lake.grant_read("raw", reader)
    table.grant_publish(reader)
    cdk.CfnOutput(stack, "ReaderArn", value=reader.role_arn)
    return stack


def test_a_governed_and_watched_lake_deploys_with_its_permissions_and_goes(laptop_cloud: LaptopCloud) -> None:
    stack = governed_stack()
    folder = Path(cdk.Stage.of(stack).synth().directory)  # type: ignore[union-attr]
    reader = laptop_cloud.deploy(folder, stack.stack_name).outputs["ReaderArn"]
    granted = laptop_cloud.client("lakeformation").list_permissions()["PrincipalResourcePermissions"]
    found = [item for item in granted if item["Principal"]["DataLakePrincipalIdentifier"] == reader]
    by_kind = {next(iter(item["Resource"])): sorted(item["Permissions"]) for item in found}
    assert by_kind["Table"] == ["ALTER", "DELETE", "DESCRIBE", "INSERT", "SELECT"]
    assert by_kind["DataLocation"] == ["DATA_LOCATION_ACCESS"]
    assert len([item for item in found if "LFTagPolicy" in item["Resource"]]) == 2
    trail = laptop_cloud.client("cloudtrail").describe_trails()["trailList"]
    assert "watched_lake_audit" in [item["Name"] for item in trail]
    laptop_cloud.destroy(stack.stack_name)
    left = laptop_cloud.client("lakeformation").list_permissions()["PrincipalResourcePermissions"]
    assert reader not in [item["Principal"]["DataLakePrincipalIdentifier"] for item in left]
