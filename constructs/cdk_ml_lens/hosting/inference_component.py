"""InferenceComponent: one model on a shared endpoint, with resources and copies of its own, down to zero."""

from __future__ import annotations

from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from cdk_ml_lens.core.errors import Faults
from cdk_ml_lens.hosting import rendering, scaling
from cdk_ml_lens.hosting.autoscaling import Autoscaling
from cdk_ml_lens.hosting.endpoint import ModelEndpoint
from cdk_ml_lens.hosting.execution_role import ExecutionRole
from cdk_ml_lens.hosting.model import ModelSource


@dataclass(frozen=True, kw_only=True)
class ComponentResources:
    """What one copy takes of its instance.

    Parameters
    ----------
    memory_mb : int
        Memory, at least 128, in MiB.
    cpus : float
        Virtual CPUs, at least 0.25. Default: 1.
    accelerators : float
        GPUs or Neuron devices. Default: 0.

    Notes
    -----
    Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_InferenceComponentComputeResourceRequirements.html
    """

    memory_mb: int
    cpus: float = 1
    accelerators: float = 0

    def __post_init__(self) -> None:
        faults = Faults("component resources")
        faults.unless(self.memory_mb >= 128, "memory_mb", "be at least 128", self.memory_mb)
        faults.unless(self.cpus >= 0.25, "cpus", "be at least 0.25", self.cpus)
        faults.unless(self.accelerators >= 0, "accelerators", "be at least 0", self.accelerators)
        faults.raise_any()


class InferenceComponent(Construct):
    """One model placed on an endpoint whose variant has no model of its own.

    Parameters
    ----------
    scope, id
        As for every construct.
    endpoint : ModelEndpoint
        Its one variant has no model.
    model : ModelSource
        What it serves.
    resources : ComponentResources
        What one copy takes.
    copies : int
        Copies at creation. Default: 1.
    autoscaling : Autoscaling, optional
        Of the copies; ``min_capacity=0`` scales to zero. Default: the count stays.

    Attributes
    ----------
    component : CfnInferenceComponent

    Raises
    ------
    PropError
        When the endpoint serves a model of its own.

    Notes
    -----
    The component's name is made from its path, because the scalable target and callers must know it. Source:
    https://docs.aws.amazon.com/sagemaker/latest/dg/endpoint-auto-scaling-zero-instances.html. Lens best practices
    MLSUS05-BP04, MLCOST05-BP03.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        endpoint: ModelEndpoint,
        model: ModelSource,
        resources: ComponentResources,
        copies: int = 1,
        autoscaling: Autoscaling | None = None,
    ) -> None:
        faults = Faults("inference component")
        faults.unless(not endpoint.models, "endpoint", "have a variant without a model", endpoint.variant_names)
        faults.unless(copies >= 0, "copies", "be at least 0", copies)
        faults.raise_any()
        super().__init__(scope, id)
        self.name = rendering.stable_name(self)
        execution = ExecutionRole(self, "Execution", models=[model], log_group=endpoint.log_group)
        made = self._model(model, execution)
        self.component = self._component(endpoint, made, resources, copies)
        if autoscaling is not None:
            self._scale(autoscaling)

    def metric(self, name: str) -> cloudwatch.Metric:
        """Return one metric of the component, in ``AWS/SageMaker``."""
        return cloudwatch.Metric(
            namespace="AWS/SageMaker",
            metric_name=name,
            dimensions_map={"InferenceComponentName": self.name},
            statistic="Maximum",
            period=cdk.Duration.minutes(1),
        )

    def _model(self, source: ModelSource, execution: ExecutionRole) -> sagemaker.CfnModel:
        model = sagemaker.CfnModel(
            self,
            "Model",
            execution_role_arn=execution.role.role_arn,
            enable_network_isolation=True,
            vpc_config=rendering.network(source),
            **rendering.containers(self, source),
        )
        model.node.add_dependency(execution)
        return model

    def _component(
        self, endpoint: ModelEndpoint, model: sagemaker.CfnModel, resources: ComponentResources, copies: int
    ) -> sagemaker.CfnInferenceComponent:
        kind = sagemaker.CfnInferenceComponent
        return kind(
            self,
            "Component",
            inference_component_name=self.name,
            endpoint_name=endpoint.endpoint_name,
            variant_name=endpoint.variant_names[0],
            specification=kind.InferenceComponentSpecificationProperty(
                model_name=model.attr_model_name,
                compute_resource_requirements=kind.InferenceComponentComputeResourceRequirementsProperty(
                    min_memory_required_in_mb=resources.memory_mb,
                    number_of_cpu_cores_required=resources.cpus,
                    number_of_accelerator_devices_required=resources.accelerators or None,
                ),
            ),
            runtime_config=kind.InferenceComponentRuntimeConfigProperty(copy_count=copies),
        )

    def _scale(self, autoscaling: Autoscaling) -> None:
        target = scaling.ScaledTarget(
            self,
            "Scaling",
            scaled=scaling.copies(self.name, autoscaling),
            autoscaling=autoscaling,
            after=[self.component],
        )
        if autoscaling.min_capacity == 0:
            target.step_out_of_zero(self.metric("NoCapacityInvocationFailures"))
