"""A processing job of a pipeline, as CreateProcessingJob takes it, and the state that runs it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aws_cdk import aws_iam as iam

from cdk_ml_lens.core.asl import State, js, task
from cdk_ml_lens.core.container_image import ContainerImage
from cdk_ml_lens.core.cost import job_tags
from cdk_ml_lens.training.plan import RUNNABLE, TrainingPlan, file_of
from cdk_ml_lens.training.source_code import PackedCode
from cdk_ml_lens.training.train_step import LIMITS, PATIENT, SLACK_SECONDS

_ROOT = "/opt/ml/processing"


@dataclass(frozen=True, kw_only=True)
class ProcessingJob:
    """One job.

    Parameters
    ----------
    name : str
        Expression of its name.
    role : IRole
        Its role.
    image : ContainerImage
        Its container.
    code : PackedCode
        What it runs.
    arguments : sequence of str
        Arguments of the program.
    inputs : mapping of str to str
        Folder below ``input/`` to URI.
    outputs : mapping of str to str
        Folder, empty for ``output`` itself, to URI.
    environment : mapping of str to str
        Variables. Default: none.
    """

    name: str
    role: iam.IRole
    image: ContainerImage
    code: PackedCode
    arguments: Sequence[str]
    inputs: Mapping[str, str]
    outputs: Mapping[str, str]
    environment: Mapping[str, str] = field(default_factory=dict)

    def state(
        self, plan: TrainingPlan, *, next: str, catch: Sequence[State], assign: Mapping[str, Any] | None = None
    ) -> State:
        """Return the state that runs the job to its end."""
        resources = plan.options.evaluation
        cluster = {
            "InstanceType": resources.instance_type,
            "InstanceCount": 1,
            "VolumeSizeInGB": resources.volume_gb,
            "VolumeKmsKeyId": plan.key_arn,
        }
        request: dict[str, Any] = {
            "ProcessingJobName": self.name,
            "RoleArn": self.role.role_arn,
            "AppSpecification": self._application(plan),
            "ProcessingInputs": [_input("code", self.code.url), *(_input(*pair) for pair in self.inputs.items())],
            "ProcessingOutputConfig": {
                "KmsKeyId": plan.key_arn,
                "Outputs": [_output(*pair) for pair in self.outputs.items()],
            },
            "ProcessingResources": {"ClusterConfig": cluster},
            "StoppingCondition": {"MaxRuntimeInSeconds": resources.max_minutes * 60},
            "NetworkConfig": _network(plan),
            "Tags": job_tags(plan.scope),
        }
        if self.environment:
            request["Environment"] = dict(self.environment)
        return task(
            "sagemaker:createProcessingJob.sync",
            request,
            next=next,
            catch=catch,
            assign=assign,
            retry=PATIENT,
            retried=LIMITS,
            seconds=resources.max_minutes * 60 + SLACK_SECONDS,
        )

    def _application(self, plan: TrainingPlan) -> dict[str, Any]:
        found: dict[str, Any] = {
            "ImageUri": self.image.uri(plan.scope),
            "ContainerEntrypoint": ["python3", f"{RUNNABLE}/{file_of(self.code)}"],
        }
        return {**found, "ContainerArguments": list(self.arguments)} if self.arguments else found


def below(plan: TrainingPlan, place: str) -> str:
    """Return the expression of a URI in the artifact bucket; ``<me>`` in it is the execution's name."""
    before, _, after = place.partition("<me>")
    return js(f"'{plan.artifacts}/{before}' & $me & '{after}'")


def _input(name: str, uri: str) -> dict[str, Any]:
    source = {
        "S3Uri": uri,
        "LocalPath": f"{_ROOT}/input/{name}",
        "S3DataType": "S3Prefix",
        "S3InputMode": "File",
        "S3DataDistributionType": "FullyReplicated",
        "S3CompressionType": "None",
    }
    return {"InputName": name, "S3Input": source}


def _output(folder: str, uri: str) -> dict[str, Any]:
    local = f"{_ROOT}/output/{folder}".rstrip("/")
    target = {"S3Uri": uri, "LocalPath": local, "S3UploadMode": "EndOfJob"}
    return {"OutputName": folder or "output", "S3Output": target}


def _network(plan: TrainingPlan) -> dict[str, Any]:
    isolation = plan.options.isolation
    vpc = plan.vpc_config()
    found: dict[str, Any] = {
        # Tracking needs a network in training alone.
        "EnableNetworkIsolation": isolation.isolated or plan.options.tracking is not None,
        "EnableInterContainerTrafficEncryption": isolation.encrypt_between,
    }
    return found if vpc is None else {**found, "VpcConfig": vpc}
