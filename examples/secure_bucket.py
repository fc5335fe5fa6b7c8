"""A bucket whose data may go with the stack: the prop asks for it, the context flag confirms it."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_kms as kms

from cdk_ml_lens import NotifyTopic, PredictionLog, harden
from cdk_ml_lens.core.bucket import SecureBucket


def build(app: cdk.App) -> cdk.Stack:
    """Build the stack."""
    stack = cdk.Stack(app, "SecureBucket")
    # region: bucket
    key = kms.Key(stack, "Key", enable_key_rotation=True)
    storage = SecureBucket(
        stack, "Storage", encryption_key=key, expire_days=30, removal_policy=cdk.RemovalPolicy.DESTROY
    )
    # endregion
    # region: log
    PredictionLog(stack, "Log", bucket=storage.bucket)
    # endregion
    harden(stack, alarm_topic=NotifyTopic(stack, "Told").topic)
    return stack


if __name__ == "__main__":
    main = cdk.App()
    build(main)
    main.synth()
