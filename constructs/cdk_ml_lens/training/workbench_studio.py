"""The Studio domain of a workbench: VPC only, no shared outputs, idle JupyterLabs and Code Editors are shut down."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from cdk_ml_lens.core.function_network import subnet_ids
from cdk_ml_lens.core.refs import PrivateNetwork
from cdk_ml_lens.network.isolated_network import NOTHING_OUT
from cdk_ml_lens.training.workbench_role import WorkbenchRole
from cdk_ml_lens.training.workbench_values import Workbench

# NFS to the home file system, and what apps of one user say to each other. Source:
# https://docs.aws.amazon.com/sagemaker/latest/dg/studio-updated-and-internet-access.html
_BETWEEN = ((2049, 2049, "NFS"), (8192, 65535, "Apps"))


class StudioDomain(Construct):
    """A domain for IAM users; its own execution role reaches no data.

    Parameters
    ----------
    scope, id
        As for every construct.
    workbench : Workbench
        What its JupyterLabs are.
    network : PrivateNetwork
        Where they run.
    encryption_key : IKey
        Of home directories and volumes.

    Notes
    -----
    Sources: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-sagemaker-domain.html,
    https://docs.aws.amazon.com/sagemaker/latest/dg/studio-updated-idle-shutdown.html
    """

    def __init__(
        self, scope: Construct, id: str, *, workbench: Workbench, network: PrivateNetwork, encryption_key: kms.IKey
    ) -> None:
        super().__init__(scope, id)
        self.role = WorkbenchRole(self, "Execution", studio=True, encryption_key=encryption_key)
        self._groups = [network.security_group.security_group_id, self._apps(network)]
        self.resource = sagemaker.CfnDomain(
            self,
            "Domain",
            auth_mode="IAM",
            domain_name=cdk.Names.unique_resource_name(self, max_length=63, separator="-"),
            app_network_access_type="VpcOnly",
            vpc_id=network.vpc.vpc_id,
            subnet_ids=subnet_ids(network),
            kms_key_id=encryption_key.key_arn,
            tag_propagation="ENABLED",
            default_user_settings=self._users(workbench),
            domain_settings=sagemaker.CfnDomain.DomainSettingsProperty(
                execution_role_identity_config="USER_PROFILE_NAME",
                docker_settings=sagemaker.CfnDomain.DockerSettingsProperty(enable_docker_access="DISABLED"),
            ),
        )
        self.resource.node.add_dependency(self.role)

    def _apps(self, network: PrivateNetwork) -> str:
        group = ec2.CfnSecurityGroup(
            self,
            "Apps",
            vpc_id=network.vpc.vpc_id,
            group_description="Apps of Studio: they reach each other and NFS",
            security_group_egress=[NOTHING_OUT],
        )
        own = group.attr_group_id
        for low, high, what in _BETWEEN:
            ec2.CfnSecurityGroupIngress(
                self,
                f"{what}In",
                group_id=own,
                source_security_group_id=own,
                ip_protocol="tcp",
                from_port=low,
                to_port=high,
                description=what,
            )
            ec2.CfnSecurityGroupEgress(
                self,
                f"{what}Out",
                group_id=own,
                destination_security_group_id=own,
                ip_protocol="tcp",
                from_port=low,
                to_port=high,
                description=what,
            )
        return own

    def _users(self, workbench: Workbench) -> sagemaker.CfnDomain.UserSettingsProperty:
        kind = sagemaker.CfnDomain
        idle = kind.AppLifecycleManagementProperty(
            idle_settings=kind.IdleSettingsProperty(
                lifecycle_management="ENABLED",
                idle_timeout_in_minutes=workbench.idle_minutes,
                min_idle_timeout_in_minutes=60,
                max_idle_timeout_in_minutes=workbench.idle_minutes,
            )
        )
        started = kind.ResourceSpecProperty(instance_type=workbench.instance_type)
        volume = kind.DefaultEbsStorageSettingsProperty(
            default_ebs_volume_size_in_gb=workbench.volume_gb, maximum_ebs_volume_size_in_gb=workbench.volume_gb
        )
        return kind.UserSettingsProperty(
            execution_role=self.role.role.role_arn,
            security_groups=self._groups,
            default_landing_uri="studio::",
            studio_web_portal="ENABLED",
            auto_mount_home_efs="Disabled",
            sharing_settings=kind.SharingSettingsProperty(notebook_output_option="Disabled"),
            jupyter_lab_app_settings=kind.JupyterLabAppSettingsProperty(
                app_lifecycle_management=idle, default_resource_spec=started
            ),
            code_editor_app_settings=kind.CodeEditorAppSettingsProperty(
                app_lifecycle_management=idle, default_resource_spec=started
            ),
            space_storage_settings=kind.DefaultSpaceStorageSettingsProperty(default_ebs_storage_settings=volume),
        )
