"""DeviceFleet: two fleets may ask the same pre-provisioning hook."""

from __future__ import annotations

from collections.abc import Callable

import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_

from cdk_ml_lens import DeviceFleet
from tests.unit.templates import Template


def test_fleets_that_share_a_hook_share_its_permission(
    stack: cdk.Stack, synth: Callable[[cdk.Stack], Template], hook: lambda_.Function
) -> None:
    for name in ("presses", "pumps"):
        DeviceFleet(stack, name.capitalize(), topic_prefix=name, pre_provisioning_hook=hook)
    template = synth(stack)
    (permission,) = template.of_type("AWS::Lambda::Permission")
    for id in template.of_type("AWS::IoT::ProvisioningTemplate"):
        assert permission in template.depends_on(id)
