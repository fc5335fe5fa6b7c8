"""CloudFormation types of a data lake on the laptop cloud, and Feature Store's online store."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from cdk_ml_lens.local import LaptopCloud
from tests.local.conftest import Deploy
from tests.local.support import policy, role, write_assembly

pytestmark = pytest.mark.laptop_cloud
ROLE = {"Fn::GetAtt": ["Role", "Arn"]}
ACCOUNT = {"Ref": "AWS::AccountId"}


def typed(kind: str, depends_on: str = "Role", **properties: Any) -> dict[str, Any]:
    return {"Type": kind, "DependsOn": depends_on, "Properties": properties}


def test_lake_formation_registers_tags_and_grants_and_lets_go(
    laptop_cloud: LaptopCloud, deploy_template: Deploy
) -> None:
    tag: dict[str, Any] = {"TagKey": "zone", "TagValues": ["raw"], "CatalogId": ACCOUNT}
    expression = [{"TagKey": "zone", "TagValues": ["raw"]}]
    policy_of_tag = {"CatalogId": ACCOUNT, "ResourceType": "TABLE", "Expression": expression}
    permissions: dict[str, Any] = {
        "Permissions": ["SELECT"],
        "PermissionsWithGrantOption": [],
        "Principal": {"DataLakePrincipalIdentifier": ROLE},
        "Resource": {"LFTagPolicy": policy_of_tag},
    }
    resources = {
        "Role": role("lakeformation.amazonaws.com"),
        "Bucket": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "governed"}},
        "Database": typed("AWS::Glue::Database", CatalogId=ACCOUNT, DatabaseInput={"Name": "governed"}),
        "Settings": typed(
            "AWS::LakeFormation::DataLakeSettings",
            Admins=[{"DataLakePrincipalIdentifier": ROLE}],
            MutationType="APPEND",
        ),
        "Location": typed(
            "AWS::LakeFormation::Resource",
            ResourceArn={"Fn::GetAtt": ["Bucket", "Arn"]},
            UseServiceLinkedRole=False,
            RoleArn=ROLE,
        ),
        "Tag": typed("AWS::LakeFormation::Tag", **{**tag, "TagValues": ["raw", "modelled"]}),
        "Tagged": typed(
            "AWS::LakeFormation::TagAssociation",
            "Tag",
            LFTags=[tag],
            Resource={"Database": {"CatalogId": ACCOUNT, "Name": {"Ref": "Database"}}},
        ),
        "Granted": typed("AWS::LakeFormation::PrincipalPermissions", "Tagged", **permissions),
    }
    made = deploy_template("Governed", resources, Role=ROLE).outputs["Role"]
    lake = laptop_cloud.client("lakeformation")
    assert [item["ResourceArn"] for item in lake.list_resources()["ResourceInfoList"]] == ["arn:aws:s3:::governed"]
    tags = lake.get_resource_lf_tags(Resource={"Database": {"Name": "governed"}})["LFTagOnDatabase"]
    assert [(item["TagKey"], item["TagValues"]) for item in tags] == [("zone", ["raw"])]
    (granted,) = lake.list_permissions()["PrincipalResourcePermissions"]
    assert (granted["Principal"]["DataLakePrincipalIdentifier"], granted["Permissions"]) == (made, ["SELECT"])
    laptop_cloud.destroy("Governed")
    assert lake.list_resources()["ResourceInfoList"] == []
    assert lake.list_permissions()["PrincipalResourcePermissions"] == []
    assert lake.list_lf_tags()["LFTags"] == []


def test_a_trail_logs_the_data_events_it_selects(laptop_cloud: LaptopCloud, deploy_template: Deploy) -> None:
    fields = [
        {"Field": "eventCategory", "Equals": ["Data"]},
        {"Field": "resources.type", "Equals": ["AWS::S3::Object"]},
    ]
    trail = {
        "TrailName": "lake-audit",
        "IsLogging": True,
        "S3BucketName": {"Ref": "Bucket"},
        "EnableLogFileValidation": True,
        "AdvancedEventSelectors": [{"Name": "Zones", "FieldSelectors": fields}],
    }
    resources: dict[str, Any] = {
        "Bucket": {"Type": "AWS::S3::Bucket"},
        "Trail": {"Type": "AWS::CloudTrail::Trail", "Properties": trail},
    }
    deploy_template("Audit", resources)
    client = laptop_cloud.client("cloudtrail")
    assert client.get_trail(Name="lake-audit")["Trail"]["LogFileValidationEnabled"] is True
    assert client.get_trail_status(Name="lake-audit")["IsLogging"] is True
    (selector,) = client.get_event_selectors(TrailName="lake-audit")["AdvancedEventSelectors"]
    assert selector["FieldSelectors"] == fields
    resources["Trail"]["Properties"] = {**trail, "IsLogging": False}
    deploy_template("Audit", resources)
    assert client.get_trail_status(Name="lake-audit")["IsLogging"] is False


def test_a_job_runs_under_its_security_configuration(laptop_cloud: LaptopCloud, deploy_template: Deploy) -> None:
    encryption = {"JobBookmarksEncryption": {"JobBookmarksEncryptionMode": "DISABLED"}}
    resources = {
        "Role": role("glue.amazonaws.com"),
        "Security": typed("AWS::Glue::SecurityConfiguration", Name="etl-security", EncryptionConfiguration=encryption),
        "Job": typed(
            "AWS::Glue::Job",
            Role=ROLE,
            Command={"Name": "glueetl", "ScriptLocation": "s3://none/x.py"},
            SecurityConfiguration={"Ref": "Security"},
            ExecutionProperty={"MaxConcurrentRuns": 3},
        ),
    }
    name = deploy_template("Secured", resources, Job={"Ref": "Job"}).outputs["Job"]
    glue = laptop_cloud.client("glue")
    found = glue.get_security_configuration(Name="etl-security")["SecurityConfiguration"]
    assert found["EncryptionConfiguration"] == encryption
    job = glue.get_job(JobName=name)["Job"]
    assert (job["SecurityConfiguration"], job["ExecutionProperty"]["MaxConcurrentRuns"]) == ("etl-security", 3)
    laptop_cloud.destroy("Secured")
    with pytest.raises(glue.exceptions.EntityNotFoundException):
        glue.get_security_configuration(Name="etl-security")


def group(name: str) -> dict[str, Any]:
    kinds = {"device_id": "String", "event_time": "String", "temperature": "Fractional"}
    definitions = [{"FeatureName": feature, "FeatureType": kind} for feature, kind in kinds.items()]
    return typed(
        "AWS::SageMaker::FeatureGroup",
        FeatureGroupName=name,
        RecordIdentifierFeatureName="device_id",
        EventTimeFeatureName="event_time",
        FeatureDefinitions=definitions,
        OnlineStoreConfig={"EnableOnlineStore": True},
        RoleArn=ROLE,
    )


def record(event_time: str, temperature: str = "1.5") -> list[dict[str, str]]:
    values = {"device_id": "a", "event_time": event_time, "temperature": temperature}
    return [{"FeatureName": name, "ValueAsString": value} for name, value in values.items()]


def test_the_online_store_keeps_the_newest_record_of_each_device(
    laptop_cloud: LaptopCloud, deploy_template: Deploy
) -> None:
    resources = {"Role": role("sagemaker.amazonaws.com"), "Group": group("turbines")}
    assert deploy_template("Features", resources, Name={"Ref": "Group"}).outputs["Name"] == "turbines"
    described = laptop_cloud.client("sagemaker").describe_feature_group(FeatureGroupName="turbines")
    assert described["FeatureGroupStatus"] == "Created"
    store = laptop_cloud.client("sagemaker-featurestore-runtime")
    wanted = {"FeatureGroupName": "turbines", "RecordIdentifierValueAsString": "a"}
    assert "Record" not in store.get_record(**wanted)
    for event_time, temperature in (("2026-01-02T00:00:00Z", "2.5"), ("2026-01-01T00:00:00Z", "9.0")):
        store.put_record(FeatureGroupName="turbines", Record=record(event_time, temperature))
    assert store.get_record(**wanted)["Record"] == record("2026-01-02T00:00:00Z", "2.5")
    (value,) = store.get_record(**wanted, FeatureNames=["temperature"])["Record"]
    assert value == {"FeatureName": "temperature", "ValueAsString": "2.5"}
    both = [{"FeatureGroupName": "turbines", "RecordIdentifiersValueAsString": ["a", "none"]}]
    assert len(store.batch_get_record(Identifiers=both)["Records"]) == 1
    with pytest.raises(ClientError, match="temperature cannot be 'warm'"):
        store.put_record(FeatureGroupName="turbines", Record=record("2026-01-03T00:00:00Z", "warm"))
    store.delete_record(**wanted, EventTime="2026-01-04T00:00:00Z")
    assert "Record" not in store.get_record(**wanted)
    laptop_cloud.destroy("Features")
    with pytest.raises(ClientError, match="ResourceNotFound"):
        store.get_record(**wanted)


def test_a_record_is_put_only_into_the_group_that_a_policy_names(guarded: LaptopCloud, tmp_path: Path) -> None:
    names = ("mine", "theirs")
    resources = {"Role": role("sagemaker.amazonaws.com"), **{name.title(): group(name) for name in names}}
    guarded.deploy(write_assembly(tmp_path, "Groups", {"Resources": resources}), "Groups")
    iam = guarded.client("iam")
    iam.create_user(UserName="feeder")
    allowed = policy(("sagemaker:PutRecord", "arn:aws:sagemaker:us-east-1:000000000000:feature-group/mine"))
    iam.put_user_policy(UserName="feeder", PolicyName="own", PolicyDocument=json.dumps(allowed))
    keys = iam.create_access_key(UserName="feeder")["AccessKey"]
    store = boto3.client(
        "sagemaker-featurestore-runtime",
        endpoint_url=guarded.endpoint_url,
        region_name=guarded.region,
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
    )
    store.put_record(FeatureGroupName="mine", Record=record("2026-01-02T00:00:00Z"))
    with pytest.raises(ClientError, match="AccessDenied"):
        store.put_record(FeatureGroupName="theirs", Record=record("2026-01-02T00:00:00Z"))
