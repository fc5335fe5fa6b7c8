"""Score a folder of CSV files by night; each answer lies beside the id of its row."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3

from cdk_ml_lens import BatchTransform, ModelArtifact, ModelSource, NotifyTopic, TransformOptions
from cdk_ml_lens.core.nag import acknowledge


def build(app: cdk.App) -> cdk.Stack:
    """Build the stack."""
    stack = cdk.Stack(app, "BatchTransform")
    key = kms.Key.from_key_arn(stack, "Key", "arn:aws:kms:eu-west-1:111122223333:key/example")
    records = s3.Bucket.from_bucket_attributes(stack, "Records", bucket_name="example-records", encryption_key=key)
    # region: batch
    batch = BatchTransform(
        stack,
        "Nightly",
        model=ModelSource.sklearn(ModelArtifact.from_parameters(stack, "Model")),
        bucket=records,
        options=TransformOptions(input_filter="$[1:]", output_filter="$[0,-3]"),
        alarm_topic=NotifyTopic(stack, "Alarms").topic,
    )
    scheduler = iam.Role(stack, "Scheduler", assumed_by=iam.ServicePrincipal("scheduler.amazonaws.com"))
    batch.grant_start(scheduler)
    # endregion
    acknowledge(
        scheduler,
        "IAM5[Service::scheduler.amazonaws.com]",
        "Stands for a role of yours; trust it for aws:SourceAccount.",
        pack="MlLens",
    )
    return stack


if __name__ == "__main__":
    main = cdk.App()
    build(main)
    main.synth()
