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


def definition() -> dict[str, Any]:
    watched = {"EndpointName": {"Fn::GetAtt": ["Endpoint", "EndpointName"]}, "LocalPath": "/opt/ml/processing/input"}
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
        "Definition": definition(),
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


def test_an_mlflow_app_has_an_arn(deploy_template: Deploy) -> None:
    properties = {"Name": "Runs", "ArtifactStoreUri": "s3://models/mlflow", "RoleArn": ROLE}
    resources = {"App": {"Type": "AWS::SageMaker::MlflowApp", "Properties": properties}}
    outputs = deploy_template("Mlflow", resources, Arn={"Fn::GetAtt": ["App", "Arn"]}).outputs
    assert outputs["Arn"] == "arn:aws:sagemaker:us-east-1:000000000000:mlflow-app/runs"
