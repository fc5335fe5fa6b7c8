"""The job definition of SageMaker AI's own monitor: four types of one shape, with the kind in their names."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_kms as kms
from constructs import Construct

from cdk_ml_lens.core.function_network import subnet_ids
from cdk_ml_lens.core.nag import acknowledge
from cdk_ml_lens.monitoring.drift_schedule import MonitoringJob
from cdk_ml_lens.monitoring.drift_values import CaptureSource
from cdk_ml_lens.monitoring.monitor_fields import MonitorFile
from cdk_ml_lens.monitoring.monitor_kinds import AnyKind, DataQuality, ModelBias, ModelExplainability, ModelQuality
from cdk_ml_lens.monitoring.monitor_schedule import MonitorSchedule

_INPUT, _OUTPUT = "/opt/ml/processing/input/endpoint", "/opt/ml/processing/output"
_NAME_LENGTH, _HASH_LENGTH = 63, 8
Properties = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class MonitorPlan:
    """What a definition is made of.

    Parameters
    ----------
    kind : AnyKind
        What is looked at.
    captures : CaptureSource
        The traffic.
    schedule : MonitorSchedule
        Which hours are judged.
    job : MonitoringJob
        On what it runs.
    reports_url : str
        S3 prefix of the reports.
    role_arn : str
        Role of the jobs.
    encryption_key : IKey
        Key of volumes and reports.
    """

    kind: AnyKind
    captures: CaptureSource
    schedule: MonitorSchedule
    job: MonitoringJob
    reports_url: str
    role_arn: str
    encryption_key: kms.IKey

    def make(self, scope: Construct) -> tuple[cdk.CfnResource, str]:
        """Make the definition; return it and its name.

        CloudFormation replaces a definition whenever anything in it changes, before it deletes the old one, so the
        name has a hash of the content. Source:
        https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-sagemaker-dataqualityjobdefinition.html
        """
        wanted = self._properties(scope)
        content = json.dumps(cdk.Stack.of(scope).resolve(wanted), sort_keys=True)
        digest = hashlib.sha256(content.encode()).hexdigest()[:_HASH_LENGTH]
        longest = _NAME_LENGTH - _HASH_LENGTH - 1
        prefix = cdk.Names.unique_resource_name(scope, max_length=longest, separator="-").lower()
        name = f"{prefix}-{digest}"
        type_name = f"AWS::SageMaker::{self.kind.name}JobDefinition"
        wanted["JobDefinitionName"] = name
        made = cdk.CfnResource(scope, "Definition", type=type_name, properties=wanted)
        if not self.kind.isolated:
            reason = "The container calls the endpoint it explains; MonitoringJob(network=) keeps that inside a VPC."
            acknowledge(made, "TR2", reason, pack="MlLens")
        return made, name

    def _properties(self, scope: Construct) -> Properties:
        name, baseline = self.kind.name, self._baseline()
        return {
            f"{name}AppSpecification": self._program(scope),
            f"{name}JobInput": self._input(),
            f"{name}JobOutputConfig": {
                "KmsKeyId": self.encryption_key.key_arn,
                "MonitoringOutputs": [{"S3Output": {"LocalPath": _OUTPUT, "S3Uri": self.reports_url}}],
            },
            **({f"{name}BaselineConfig": baseline} if baseline else {}),
            "JobResources": {
                "ClusterConfig": {
                    "InstanceCount": 1,
                    "InstanceType": self.job.instance_type,
                    "VolumeSizeInGB": self.job.volume_gb,
                    "VolumeKmsKeyId": self.encryption_key.key_arn,
                }
            },
            "NetworkConfig": self._network(),
            "RoleArn": self.role_arn,
            "StoppingCondition": {"MaxRuntimeInSeconds": self.job.max_minutes * 60},
        }

    def _program(self, scope: Construct) -> Properties:
        image: Properties = {"ImageUri": self.kind.image.uri(scope)}
        if isinstance(self.kind, ModelQuality):
            return {**image, "ProblemType": self.kind.problem}
        if isinstance(self.kind, ModelBias | ModelExplainability):
            return {**image, "ConfigUri": self.kind.config.uri}
        return image

    def _input(self) -> Properties:
        endpoint: Properties = {"EndpointName": self.captures.endpoint_name, "LocalPath": _INPUT}
        if isinstance(self.kind, DataQuality):
            return {"EndpointInput": endpoint}
        endpoint |= self.kind.answer.render()
        if isinstance(self.kind, ModelExplainability):
            return {"EndpointInput": endpoint}
        labels = self.kind.labels
        truth = f"s3://{labels.bucket.bucket_name}/{labels.prefix}"
        return {
            "EndpointInput": {**endpoint, **self.schedule.offsets()},
            "GroundTruthS3Input": {"S3Uri": truth},
        }

    def _baseline(self) -> Properties:
        statistics = self.kind.statistics if isinstance(self.kind, DataQuality) else None
        given = {"ConstraintsResource": self.kind.constraints, "StatisticsResource": statistics}
        return {name: {"S3Uri": file.uri} for name, file in given.items() if file is not None}

    def _network(self) -> Properties:
        closed: Properties = {"EnableNetworkIsolation": self.kind.isolated}
        network = self.job.network
        if network is None:
            return closed
        groups = [network.security_group.security_group_id]
        return {**closed, "VpcConfig": {"SecurityGroupIds": groups, "Subnets": subnet_ids(network)}}


def files_of(kind: AnyKind) -> list[MonitorFile]:
    """Return the objects that the jobs read."""
    given = [kind.constraints]
    if isinstance(kind, DataQuality):
        given.append(kind.statistics)
    if isinstance(kind, ModelBias | ModelExplainability):
        given.append(kind.config)
    return [file for file in given if file is not None]
