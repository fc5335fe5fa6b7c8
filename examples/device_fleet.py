"""A fleet whose devices register by claim, with a hook that decides who may, and one device known beforehand."""

from __future__ import annotations

from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from cdk_ml_lens import DeviceFleet, explain
from cdk_ml_lens.core.keys import data_key
from cdk_ml_lens.core.nag import acknowledge

# region: hook-code
HOOK = """
def handler(event, context):
    # Look the serial number up in the list of devices that you made; this example only knows their prefix.
    serial = event["parameters"].get("SerialNumber", "")
    return {"allowProvisioning": serial.startswith("turbine-")}
"""
# endregion


def build(app: cdk.App) -> cdk.Stack:
    """Build the stack."""
    stack = cdk.Stack(app, "DeviceFleet")
    # region: fleet
    fleet = DeviceFleet(stack, "Fleet", topic_prefix="plant/turbines", pre_provisioning_hook=hook(stack))
    # endregion
    # region: device
    fleet.add_device(
        "Gateway",
        thing_name="gateway-01",
        certificate_signing_request=(Path(__file__).parent / "device.csr").read_text(encoding="utf-8"),
    )
    # endregion
    cdk.CfnOutput(stack, "ProvisioningTemplateName", value=fleet.template.ref)
    cdk.CfnOutput(stack, "ClaimPolicyName", value=fleet.claim.ref)
    return stack


# region: hook
def hook(scope: Construct) -> lambda_.Function:
    """Return the function that IoT Core asks before it registers a device."""
    key = data_key(scope, "HookKey", description="Encrypts the logs of the fleet's hook")
    log_group = logs.LogGroup(scope, "HookLogs", encryption_key=key, retention=logs.RetentionDays.THREE_MONTHS)
    role = iam.Role(scope, "HookRole", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
    log_group.grant_write(role)
    acknowledge(role, "IAM5[Resource::*]", "X-Ray calls have no resource type in IAM; nothing else uses '*'.")
    explain(role, {"IAMNoInlinePolicy": "The policy is this role's only, and goes with it."})
    function = lambda_.Function(
        scope,
        "Hook",
        runtime=lambda_.Runtime.PYTHON_3_14,
        architecture=lambda_.Architecture.ARM_64,
        handler="index.handler",
        code=lambda_.Code.from_inline(HOOK),
        role=role,
        log_group=log_group,
        timeout=cdk.Duration.seconds(5),  # IoT Core waits no longer
        memory_size=128,
        tracing=lambda_.Tracing.ACTIVE,
        reserved_concurrent_executions=5,
    )
    explain(
        function,
        {
            "LambdaDLQ": "IoT Core waits for the answer; without one, the device is not registered and tries again.",
            "LambdaInsideVPC": "It calls nothing: it compares the serial number with what its code knows.",
        },
    )
    return function


# endregion


if __name__ == "__main__":
    main = cdk.App()
    build(main)
    main.synth()
