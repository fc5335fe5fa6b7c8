"""DeviceFleet: the identity of devices, and the few topics each of them may use."""

from __future__ import annotations

import re

import aws_cdk as cdk
from aws_cdk import aws_iot as iot
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from cdk_ml_lens.core.errors import Faults
from cdk_ml_lens.iot.device import FleetDevice
from cdk_ml_lens.iot.device_policy import claim_policy, device_policy
from cdk_ml_lens.iot.provisioning import ProvisioningRole, await_hook, hook_property, template_body

_PREFIX = re.compile(r"[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+){0,3}")


class DeviceFleet(Construct):
    """A fleet: thing type, thing group, device policy, and provisioning by claim.

    Parameters
    ----------
    scope, id
        As for every construct.
    topic_prefix : str
        First levels of every topic of the fleet: telemetry goes to ``<prefix>/<thing>/telemetry``, commands come on
        ``<prefix>/<thing>/commands``. One to four levels of letters, digits, ``_`` and ``-``. Default: ``devices``.
    pre_provisioning_hook : IFunction, optional
        Called by IoT Core before a device is registered; it answers ``{"allowProvisioning": bool}``. Default: every
        holder of a claim certificate may register, so give one for real fleets.

    Attributes
    ----------
    thing_type, thing_group, policy, claim, template
        The L1 resources.

    Raises
    ------
    PropError
        When the prefix is not made of plain levels.

    Notes
    -----
    The device policy names the thing by ``${iot:Connection.Thing.ThingName}``: one document serves every device, and
    none can speak for another. Sources: https://docs.aws.amazon.com/iot/latest/developerguide/thing-policy-variables.html
    and provision-wo-cert.html. Lens best practice MLSEC03-BP01.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        topic_prefix: str = "devices",
        pre_provisioning_hook: lambda_.IFunction | None = None,
    ) -> None:
        faults = Faults("device fleet")
        faults.unless(
            _PREFIX.fullmatch(topic_prefix) is not None,
            "topic_prefix",
            "be one to four levels of letters, digits, '_' or '-'",
            topic_prefix,
        )
        faults.raise_any()
        super().__init__(scope, id)
        self.topic_prefix = topic_prefix
        self.thing_type = iot.CfnThingType(self, "ThingType")
        self.thing_group = iot.CfnThingGroup(self, "ThingGroup")
        self.policy = iot.CfnPolicy(self, "DevicePolicy", policy_document=device_policy(self, topic_prefix))
        self.template = self._provisioning_template(pre_provisioning_hook)
        self.claim = iot.CfnPolicy(self, "ClaimPolicy", policy_document=claim_policy(self, self.template.ref))

    @property
    def telemetry_topic_filter(self) -> str:
        """MQTT topic filter that matches every device's telemetry."""
        return f"{self.topic_prefix}/+/telemetry"

    @property
    def device_level(self) -> int:
        """1-based topic level that holds the device's name."""
        return self.topic_prefix.count("/") + 2

    def command_topic(self, device: str) -> str:
        """Return the command topic of one device.

        Parameters
        ----------
        device : str
            Thing name.
        """
        return f"{self.topic_prefix}/{device}/commands"

    def add_device(self, id: str, *, thing_name: str, certificate_signing_request: str) -> FleetDevice:
        """Register one fixed device; its private key never leaves it.

        Parameters
        ----------
        id : str
            Construct id.
        thing_name : str
            Name of the thing, which is also its MQTT client id.
        certificate_signing_request : str
            PEM of the CSR that the device made.

        Raises
        ------
        PropError
            When the name or the CSR is not what IoT Core accepts.
        """
        return FleetDevice(
            self,
            id,
            thing_name=thing_name,
            certificate_signing_request=certificate_signing_request,
            thing_type=self.thing_type,
            policy=self.policy,
        )

    def _provisioning_template(self, hook: lambda_.IFunction | None) -> iot.CfnProvisioningTemplate:
        role = ProvisioningRole(self, "Provisioning")
        template = iot.CfnProvisioningTemplate(
            self,
            "Template",
            description=f"Registers devices of {cdk.Names.unique_id(self)} by claim",
            enabled=True,
            template_type="FLEET_PROVISIONING",
            provisioning_role_arn=role.role.role_arn,
            template_body=template_body(
                self, policy=self.policy, thing_type=self.thing_type, thing_group=self.thing_group
            ),
            pre_provisioning_hook=None if hook is None else hook_property(self, hook),
        )
        template.node.add_dependency(role)
        if hook is not None:
            await_hook(template, hook)
        return template
