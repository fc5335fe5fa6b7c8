"""The notebook instance of a workbench: private subnet, no root, IMDSv2, encrypted volume, stopped when idle."""

from __future__ import annotations

from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from cdk_ml_lens.core.function_network import subnet_ids
from cdk_ml_lens.core.nag import explain_policy
from cdk_ml_lens.core.refs import PrivateNetwork
from cdk_ml_lens.training.workbench_role import WorkbenchRole
from cdk_ml_lens.training.workbench_values import Workbench

# Amazon Linux 2 is out of support; see review/lifecycle.
_PLATFORM = "notebook-al2023-v1"


class NotebookInstance(Construct):
    """An instance that may stop itself, which its idle stop does.

    Parameters
    ----------
    scope, id
        As for every construct.
    workbench : Workbench
        What it is.
    network : PrivateNetwork
        Where it is: in the first subnet.
    encryption_key : IKey
        Of its volume.

    Notes
    -----
    Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-sagemaker-notebookinstance.html
    """

    def __init__(
        self, scope: Construct, id: str, *, workbench: Workbench, network: PrivateNetwork, encryption_key: kms.IKey
    ) -> None:
        super().__init__(scope, id)
        self.role = WorkbenchRole(self, "Execution", studio=False, encryption_key=encryption_key)
        kind = sagemaker.CfnNotebookInstanceLifecycleConfig
        hook = kind.NotebookInstanceLifecycleHookProperty(content=workbench.start_script())
        self.lifecycle = kind(self, "Lifecycle", on_start=[hook])
        self.resource = sagemaker.CfnNotebookInstance(
            self,
            "Notebook",
            instance_type=workbench.instance_type,
            role_arn=self.role.role.role_arn,
            subnet_id=subnet_ids(network)[0],
            security_group_ids=[network.security_group.security_group_id],
            direct_internet_access="Disabled",
            root_access="Disabled",
            kms_key_id=encryption_key.key_arn,
            volume_size_in_gb=workbench.volume_gb,
            platform_identifier=_PLATFORM,
            lifecycle_config_name=self.lifecycle.attr_notebook_instance_lifecycle_config_name,
            instance_metadata_service_configuration=sagemaker.CfnNotebookInstance.InstanceMetadataServiceConfigurationProperty(
                minimum_instance_metadata_service_version="2"
            ),
        )
        self.resource.node.add_dependency(self.role)
        self._stop_itself()

    def _stop_itself(self) -> None:
        """Made after the instance, whose name is not known before; the idle stop needs it minutes later."""
        statement = iam.PolicyStatement(actions=["sagemaker:StopNotebookInstance"], resources=[self.resource.ref])
        explain_policy(iam.Policy(self, "StopItself", roles=[self.role.role], statements=[statement]))
