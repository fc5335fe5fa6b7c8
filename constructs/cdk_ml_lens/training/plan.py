"""TrainingPlan: everything that the states of a pipeline need, resolved to names and URIs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from constructs import Construct

from cdk_ml_lens.core.function_network import subnet_ids
from cdk_ml_lens.training.algorithm_definition import AlgorithmDefinition
from cdk_ml_lens.training.options import TrainingOptions
from cdk_ml_lens.training.refs import ModelGroup
from cdk_ml_lens.training.source_code import PackedCode

CODE_CHANNEL = "/opt/ml/input/data/code"
RUNNABLE = "/opt/ml/processing/input/code"


@dataclass(frozen=True, kw_only=True)
class TrainingPlan:
    """A pipeline's parts.

    Parameters
    ----------
    scope : Construct
        The pipeline.
    prefix : str
        First part of every job's name.
    algorithm, options
        As given.
    registry : ModelGroup
        As given.
    training_role, evaluation_role : Role
        Roles of the jobs.
    code : PackedCode or None
        Code of the training.
    evaluation_code : PackedCode
        Code of the evaluation.
    preparation_role : Role, optional
        Role of the preparation. Default: there is none.
    preparation_code : PackedCode, optional
        Code of the preparation. Default: there is none.
    """

    scope: Construct
    prefix: str
    algorithm: AlgorithmDefinition
    options: TrainingOptions
    registry: ModelGroup
    training_role: iam.IRole
    evaluation_role: iam.IRole
    code: PackedCode | None
    evaluation_code: PackedCode
    preparation_role: iam.IRole | None = None
    preparation_code: PackedCode | None = None

    @property
    def artifacts(self) -> str:
        """URI of the artifact bucket."""
        return f"s3://{self.registry.bucket.bucket_name}"

    @property
    def processing_roles(self) -> list[iam.IRole]:
        """Roles of the processing jobs."""
        return [self.evaluation_role, *([] if self.preparation_role is None else [self.preparation_role])]

    @property
    def image(self) -> str:
        """URI of the training image."""
        return self.algorithm.image.uri(self.scope)

    @property
    def key_arn(self) -> str:
        """Key of volumes and outputs."""
        return self.registry.encryption_key.key_arn

    def static_hyperparameters(self) -> dict[str, str]:
        """Return the hyperparameters that are known before a run; the features are not."""
        settings = dict(self.algorithm.hyperparameters)
        source = self.algorithm.source
        if source is not None and self.code is not None:
            settings["sagemaker_program"] = source.program
            settings["sagemaker_submit_directory"] = f"{CODE_CHANNEL}/{file_of(self.code)}"
        return settings

    def vpc_config(self) -> dict[str, Any] | None:
        """Return subnets and security group, or None."""
        network = self.options.isolation.network
        if network is None:
            return None
        return {"SecurityGroupIds": [network.security_group.security_group_id], "Subnets": subnet_ids(network)}


def file_of(code: PackedCode) -> str:
    """Return the name that a job's channel gives to the archive."""
    return code.asset.s3_object_key.rsplit("/", 1)[-1]


def job_prefix(scope: Construct) -> str:
    """Return the first part of job names: lower case, because SageMaker AI puts names into ARNs in lower case."""
    return cdk.Names.unique_resource_name(scope, max_length=24, separator="-").lower()
