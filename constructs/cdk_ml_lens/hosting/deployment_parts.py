"""What every deployment to one endpoint shares: its role, its functions, and what its state machines may do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from cdk_ml_lens.core import grants
from cdk_ml_lens.core.function import HandlerFunction
from cdk_ml_lens.core.machine import DefinedMachine
from cdk_ml_lens.core.nag import acknowledge, explain_policy, finding_of
from cdk_ml_lens.hosting.deploy_asl import Mode
from cdk_ml_lens.hosting.deploy_machine import definition
from cdk_ml_lens.hosting.execution_role import ExecutionRole
from cdk_ml_lens.hosting.reference import EndpointReference
from cdk_ml_lens.hosting.rollout import Rollout
from cdk_ml_lens.hosting.shift_checks import SyntheticRequest
from cdk_ml_lens.registry.model_registry import ModelRegistry
from cdk_ml_lens.registry.reference import RegistryReference

Registry = ModelRegistry | RegistryReference


@dataclass(frozen=True, kw_only=True)
class DeploymentParts:
    """The parts, as `ApprovedDeployment` made them; `RebuildEndpoint` uses the same.

    Parameters
    ----------
    endpoint : EndpointReference
        Endpoint that versions are deployed to.
    prefix : str
        First part of the names of models and configurations.
    registry : ModelRegistry or RegistryReference
        Where versions come from.
    execution : ExecutionRole
        Role of the endpoint.
    prepare : HandlerFunction
        Works out a deployment.
    record : HandlerFunction, optional
        Writes the approver; ``None`` where the registry is another account's.
    guards : mapping
        DeploymentConfig of an update, as the API takes it.
    alarm_arns : sequence of str
        Alarms that roll an update back.
    rollout : Rollout
        How an update reaches the endpoint.
    request : SyntheticRequest
        What a new version is asked.
    encryption_key : IKey
        Key of volumes, captures and logs.
    """

    endpoint: EndpointReference
    prefix: str
    registry: Registry
    execution: ExecutionRole
    prepare: HandlerFunction
    record: HandlerFunction | None
    guards: Mapping[str, Any]
    alarm_arns: Sequence[str]
    rollout: Rollout
    request: SyntheticRequest
    encryption_key: kms.IKey

    def machine(self, scope: Construct, mode: Mode) -> DefinedMachine:
        """Make a state machine that deploys, with its permissions."""
        record = None if mode == "rebuild" or self.record is None else self.record.function.function_arn
        made = DefinedMachine(
            scope,
            "Machine",
            encryption_key=self.encryption_key,
            definition=definition(
                mode,
                guards=self.guards,
                timeout_minutes=self.rollout.timeout_minutes,
                request=self.request,
                prepare_arn=self.prepare.function.function_arn,
                record_arn=record,
            ),
        )
        acknowledge(
            made.machine,
            "OPS2[State::Create]",
            "CreateEndpoint with tags asks for sagemaker:AddTags, which may set any tag; the bill names the endpoint.",
            pack="MlLens",
        )
        made.machine.definition_substitutions = {"Endpoint": self.endpoint.endpoint_name}
        self._allow_hosting(scope, made.role)
        self._allow_models(scope, made.role, mode)
        functions = [self.prepare.function.function_arn, *([] if record is None else [record])]
        grants.allow(made.role, ["lambda:InvokeFunction"], functions)
        bus = cdk.Stack.of(scope).format_arn(service="events", resource="event-bus", resource_name="default")
        grants.allow(made.role, ["events:PutEvents"], [bus])
        # In a policy of its own: the machine waits for the role's, which therefore cannot name the machine.
        statement = iam.PolicyStatement(actions=["states:ListExecutions"], resources=[made.arn])
        explain_policy(iam.Policy(scope, "LookAtOthers", roles=[made.role], statements=[statement]))
        return made

    def _allow_hosting(self, scope: Construct, role: iam.Role) -> None:
        """What the endpoint's states call; an update also takes the alarms that would roll it back.

        Source: https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails-configuration.html
        """
        configs = self._arn(scope, "endpoint-config")
        endpoint = self.endpoint.endpoint_arn
        grants.allow(role, ["sagemaker:DescribeEndpoint", "sagemaker:DeleteEndpoint"], [endpoint])
        grants.allow(role, ["sagemaker:CreateEndpoint", "sagemaker:UpdateEndpoint"], [endpoint, configs])
        grants.allow(role, ["sagemaker:CreateEndpointConfig", "sagemaker:DeleteEndpointConfig"], [configs])
        self.endpoint.grant_invoke(role)
        grants.allow(role, ["cloudwatch:DescribeAlarms"], self.alarm_arns)
        # The key of the volumes: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateEndpointConfig.html
        grants.use_key(role, self.encryption_key, "kms:CreateGrant", "kms:DescribeKey")
        acknowledge(role, f"IAM5[{finding_of(scope, configs)}]", "A configuration is named after its execution.")

    def _allow_models(self, scope: Construct, role: iam.Role, mode: Mode) -> None:
        """Make models of this registry's versions, under the endpoint's role only; a rebuild needs no version.

        Source: https://docs.aws.amazon.com/sagemaker/latest/dg/model-registry-deploy-xaccount.html
        """
        models, packages = self._arn(scope, "model"), self.registry.packages_arn
        grants.allow(role, ["sagemaker:CreateModel"], [models] if mode == "rebuild" else [models, packages])
        grants.allow(role, ["sagemaker:DeleteModel"], [models])
        acknowledge(role, f"IAM5[{finding_of(scope, models)}]", "A model is named after its execution.")
        if mode == "approved":
            acknowledge(role, f"IAM5[{finding_of(scope, packages)}]", "Any version of the group may be approved.")
        role.add_to_policy(
            iam.PolicyStatement(
                actions=["iam:PassRole"],
                resources=[self.execution.role.role_arn],
                conditions={"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}},
            )
        )

    def _arn(self, scope: Construct, resource: str) -> str:
        return cdk.Stack.of(scope).format_arn(service="sagemaker", resource=resource, resource_name=f"{self.prefix}-*")
