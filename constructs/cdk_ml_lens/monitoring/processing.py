"""A processing job of monitoring, as Step Functions starts it: the scikit-learn image with our statistics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3_assets as assets
from constructs import Construct

from cdk_ml_lens.core.asl import State, caught, js, task
from cdk_ml_lens.core.cost import job_tags
from cdk_ml_lens.core.function_network import subnet_ids
from cdk_ml_lens.monitoring.drift_code import drift_code, file_of
from cdk_ml_lens.monitoring.drift_schedule import MonitoringJob
from cdk_ml_lens.training.job_role import JobRole
from cdk_ml_lens.training.train_step import LIMITS, PATIENT, SLACK_SECONDS
from cdk_ml_lens.training.training_image import TrainingImage

INPUT = "/opt/ml/processing/input"
OUTPUT = "/opt/ml/processing/output"
MESSAGE = "/opt/ml/output/message"

# Job names have 63 characters; one execution always has the same.
_NAME = """($name := $states.context.Execution.Name;
  '%s-' & ($length($name) <= 36 and $contains($name, /^[A-Za-z0-9](-*[A-Za-z0-9])*$/)
    ? $name : $substring($hash($name, 'SHA-256'), 0, 32)))"""


@dataclass(frozen=True, kw_only=True)
class JobInput:
    """An input: folder below ``/opt/ml/processing/input``, S3 URI (expressions are welcome), prefix or manifest."""

    name: str
    uri: str
    kind: str = "S3Prefix"

    def render(self) -> dict[str, Any]:
        """Return the ProcessingInput."""
        source = {
            "S3Uri": self.uri,
            "LocalPath": f"{INPUT}/{self.name}",
            "S3DataType": self.kind,
            "S3InputMode": "File",
            "S3DataDistributionType": "FullyReplicated",
            "S3CompressionType": "None",
        }
        return {"InputName": self.name, "S3Input": source}


class StatisticsJob(Construct):
    """Role, code and definition of the processing jobs of one state machine.

    Parameters
    ----------
    scope, id
        As for every construct.
    job : MonitoringJob
        On what it runs.
    encryption_key : IKey
        Customer managed key of volumes and results.

    Attributes
    ----------
    role : Role
    prefix : str
        First part of every job's name.

    Notes
    -----
    Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateProcessingJob.html
    """

    def __init__(self, scope: Construct, id: str, *, job: MonitoringJob, encryption_key: kms.IKey) -> None:
        super().__init__(scope, id)
        self._job = job
        self._key = encryption_key
        self._code: assets.Asset = drift_code(self, "Code")
        self._image = TrainingImage.sklearn()
        self.access = JobRole(
            self,
            "Job",
            image=self._image,
            code=self._code,
            logs="ProcessingJobs",
            in_network=job.network is not None,
        )
        # Lower case, because SageMaker AI puts names into ARNs in lower case.
        self.prefix = cdk.Names.unique_resource_name(scope, max_length=26, separator="-").lower()

    @property
    def role(self) -> iam.Role:
        """Role of the jobs."""
        return self.access.role

    def state(
        self,
        *,
        command: Sequence[str],
        inputs: Sequence[JobInput],
        output: str,
        error: str,
        step: str,
        next: str,
        assign: Mapping[str, str] | None = None,
    ) -> State:
        """Return the state that runs one job and waits for it.

        Parameters
        ----------
        command : sequence of str
            Arguments of ``python -m drift``, without those of output and message.
        inputs : sequence of JobInput
            Besides the code.
        output : str
            S3 prefix of the results.
        error, step, next
            Of the catcher; its next state is ``Announce``.
        assign : mapping, optional
            Variables to set. Default: none.
        """
        seconds = self._job.max_minutes * 60
        return task(
            "sagemaker:createProcessingJob.sync",
            {**self._request(command, inputs, output), "StoppingCondition": {"MaxRuntimeInSeconds": seconds}},
            next=next,
            catch=[caught(error, step, "Announce")],
            assign=assign,
            retry=PATIENT,
            retried=LIMITS,
            seconds=seconds + SLACK_SECONDS,
        )

    def _request(self, command: Sequence[str], inputs: Sequence[JobInput], output: str) -> dict[str, Any]:
        code = JobInput(name="code", uri=self._code.s3_object_url)
        target = {"S3Uri": output, "LocalPath": OUTPUT, "S3UploadMode": "EndOfJob"}
        return {
            "ProcessingJobName": js(_NAME % self.prefix),
            "Tags": job_tags(self),
            "RoleArn": self.role.role_arn,
            "AppSpecification": {
                "ImageUri": self._image.uri(self),
                "ContainerEntrypoint": ["python3", f"{INPUT}/code/{file_of(self._code)}"],
                "ContainerArguments": [*command, "--output", OUTPUT, "--message", MESSAGE],
            },
            "ProcessingInputs": [code.render(), *(one.render() for one in inputs)],
            "ProcessingOutputConfig": {
                "KmsKeyId": self._key.key_arn,
                "Outputs": [{"OutputName": "results", "S3Output": target}],
            },
            "ProcessingResources": {
                "ClusterConfig": {
                    "InstanceType": self._job.instance_type,
                    "InstanceCount": 1,
                    "VolumeSizeInGB": self._job.volume_gb,
                    "VolumeKmsKeyId": self._key.key_arn,
                }
            },
            "NetworkConfig": self._network(),
        }

    def _network(self) -> dict[str, Any]:
        network = self._job.network
        closed: dict[str, Any] = {"EnableNetworkIsolation": True}
        if network is None:
            return closed
        groups = [network.security_group.security_group_id]
        return {**closed, "VpcConfig": {"SecurityGroupIds": groups, "Subnets": subnet_ids(network)}}
