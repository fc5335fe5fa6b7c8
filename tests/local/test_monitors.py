"""Model Monitor's resources on the laptop cloud: deployed, shown, deleted in an order that AWS takes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from cdk_ml_lens.local import LaptopCloud
from tests.local.conftest import Deploy
from tests.local.job_support import ROLE
from tests.local.support import endpoint_resources

pytestmark = pytest.mark.laptop_cloud
SCHEDULE: dict[str, Any] = {"ScheduleConfig": {"ScheduleExpression": "cron(0 * ? * * *)"}}


def definition(endpoint: str | dict[str, Any]) -> dict[str, Any]:
    watched = {"EndpointName": endpoint, "LocalPath": "/opt/ml/processing/input"}
    cluster = {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 20}
    target = {"LocalPath": "/opt/ml/processing/output", "S3Uri": "s3://models/reports"}
    properties = {
        "DataQualityAppSpecification": {"ImageUri": "analyzer"},
        "DataQualityJobInput": {"EndpointInput": watched},
        "DataQualityJobOutputConfig": {"MonitoringOutputs": [{"S3Output": target}]},
        "JobResources": {"ClusterConfig": cluster},
        "RoleArn": ROLE,
    }
    return {"Type": "AWS::SageMaker::DataQualityJobDefinition", "Properties": properties}


def test_a_watched_endpoint_stays_until_its_schedule_is_gone(
    laptop_cloud: LaptopCloud, deploy_template: Deploy, model_artifact: Callable[..., str]
) -> None:
    name = {"Fn::Select": [1, {"Fn::Split": ["/", {"Ref": "Definition"}]}]}
    config = {**SCHEDULE, "MonitoringJobDefinitionName": name, "MonitoringType": "DataQuality"}
    resources = {
        **endpoint_resources("watched", model_artifact("watched", name="1")),
        "Definition": definition({"Fn::GetAtt": ["Endpoint", "EndpointName"]}),
        "Schedule": {
            "Type": "AWS::SageMaker::MonitoringSchedule",
            "Properties": {"MonitoringScheduleName": "hourly", "MonitoringScheduleConfig": config},
        },
    }
    arn = {"Fn::GetAtt": ["Schedule", "MonitoringScheduleArn"]}
    outputs = deploy_template("Watched", resources, Arn=arn, Ref={"Ref": "Schedule"}).outputs
    assert outputs["Arn"] == outputs["Ref"] == "arn:aws:sagemaker:us-east-1:000000000000:monitoring-schedule/hourly"
    sagemaker = laptop_cloud.client("sagemaker")
    shown = sagemaker.describe_monitoring_schedule(MonitoringScheduleName="hourly")
    assert (shown["MonitoringScheduleStatus"], shown["EndpointName"]) == ("Scheduled", "watched")
    with pytest.raises(ClientError, match="monitoring schedules are attached"):
        sagemaker.delete_endpoint(EndpointName="watched")
    sagemaker.stop_monitoring_schedule(MonitoringScheduleName="hourly")
    (summary,) = sagemaker.list_monitoring_schedules(EndpointName="watched")["MonitoringScheduleSummaries"]
    assert summary["MonitoringScheduleStatus"] == "Stopped"
    laptop_cloud.destroy("Watched")
    with pytest.raises(sagemaker.exceptions.ResourceNotFound):
        sagemaker.describe_monitoring_schedule(MonitoringScheduleName="hourly")


def test_a_schedule_needs_its_job_definition(laptop_cloud: LaptopCloud) -> None:
    config = {**SCHEDULE, "MonitoringJobDefinitionName": "none", "MonitoringType": "ModelQuality"}
    with pytest.raises(ClientError, match="Job definition none not found"):
        laptop_cloud.client("sagemaker").create_monitoring_schedule(
            MonitoringScheduleName="lost", MonitoringScheduleConfig=config
        )


def test_a_schedule_changes_in_place_and_its_job_is_replaced(
    laptop_cloud: LaptopCloud, deploy_template: Deploy
) -> None:
    def monitor(*, expression: str = "cron(0 * ? * * *)", size: int = 20, **tags: str) -> dict[str, Any]:
        job = definition("idle")
        job["Properties"]["JobResources"]["ClusterConfig"]["VolumeSizeInGB"] = size
        job["Properties"]["Tags"] = [{"Key": key, "Value": value} for key, value in tags.items()]
        name = {"Fn::Select": [1, {"Fn::Split": ["/", {"Ref": "Definition"}]}]}
        config = {"ScheduleConfig": {"ScheduleExpression": expression}, "MonitoringType": "DataQuality"}
        config["MonitoringJobDefinitionName"] = name
        schedule = {"Type": "AWS::SageMaker::MonitoringSchedule", "Properties": {"MonitoringScheduleConfig": config}}
        return {"Definition": job, "Schedule": schedule}

    def shown() -> tuple[str, str, str]:
        (summary,) = sagemaker.list_monitoring_schedules(EndpointName="idle")["MonitoringScheduleSummaries"]
        found = sagemaker.describe_monitoring_schedule(MonitoringScheduleName=summary["MonitoringScheduleName"])
        expression = found["MonitoringScheduleConfig"]["ScheduleConfig"]["ScheduleExpression"]
        return summary["MonitoringScheduleArn"], summary["MonitoringJobDefinitionName"], expression

    sagemaker = laptop_cloud.client("sagemaker")
    deploy_template("Idle", monitor())
    schedule, job, _ = shown()
    deploy_template("Idle", monitor(expression="cron(0 6 ? * * *)", team="wind"))
    assert shown() == (schedule, job, "cron(0 6 ? * * *)")  # tags alone replace no job
    deploy_template("Idle", monitor(size=50))
    assert shown()[0] == schedule
    assert shown()[1] != job
    with pytest.raises(sagemaker.exceptions.ResourceNotFound):
        sagemaker.describe_data_quality_job_definition(JobDefinitionName=job)
    described = sagemaker.describe_data_quality_job_definition(JobDefinitionName=shown()[1])
    assert described["JobResources"]["ClusterConfig"]["VolumeSizeInGB"] == 50
    sagemaker.delete_data_quality_job_definition(JobDefinitionName=shown()[1])  # by hand, as somebody will
    laptop_cloud.destroy("Idle")
    assert sagemaker.list_monitoring_schedules(EndpointName="idle")["MonitoringScheduleSummaries"] == []


def test_names_of_monitors_are_taken_once(laptop_cloud: LaptopCloud) -> None:
    sagemaker = laptop_cloud.client("sagemaker")
    job = {**definition("once")["Properties"], "JobDefinitionName": "once"}
    sagemaker.create_data_quality_job_definition(**job)
    with pytest.raises(sagemaker.exceptions.ResourceInUse, match="data-quality-job-definition/once already exists"):
        sagemaker.create_data_quality_job_definition(**job)
    config = {**SCHEDULE, "MonitoringJobDefinitionName": "once", "MonitoringType": "DataQuality"}
    sagemaker.create_monitoring_schedule(MonitoringScheduleName="once", MonitoringScheduleConfig=config)
    with pytest.raises(sagemaker.exceptions.ResourceInUse, match="monitoring-schedule/once already exists"):
        sagemaker.create_monitoring_schedule(MonitoringScheduleName="once", MonitoringScheduleConfig=config)
    sagemaker.delete_monitoring_schedule(MonitoringScheduleName="once")
    sagemaker.delete_data_quality_job_definition(JobDefinitionName="once")


def test_an_mlflow_app_has_an_arn(deploy_template: Deploy) -> None:
    properties = {"Name": "Runs", "ArtifactStoreUri": "s3://models/mlflow", "RoleArn": ROLE}
    resources = {"App": {"Type": "AWS::SageMaker::MlflowApp", "Properties": properties}}
    arn = "arn:aws:sagemaker:us-east-1:000000000000:mlflow-app/runs"
    assert deploy_template("Mlflow", resources, Arn={"Fn::GetAtt": ["App", "Arn"]}).outputs["Arn"] == arn
    properties["ArtifactStoreUri"] = "s3://models/other"  # an update keeps it
    assert deploy_template("Mlflow", resources, Arn={"Fn::GetAtt": ["App", "Arn"]}).outputs["Arn"] == arn
