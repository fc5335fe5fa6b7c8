"""What several tests of devices take."""

from __future__ import annotations

import aws_cdk as cdk
import pytest
from aws_cdk import aws_lambda as lambda_


@pytest.fixture
def hook(stack: cdk.Stack) -> lambda_.Function:
    """A pre-provisioning hook; nobody runs it."""
    return lambda_.Function(
        stack,
        "Hook",
        runtime=lambda_.Runtime.PYTHON_3_13,
        handler="index.handler",
        code=lambda_.Code.from_inline("def handler(event, context): return {'allowProvisioning': True}"),
    )
