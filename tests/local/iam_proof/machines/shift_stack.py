"""A stack with an endpoint of two variants, a shift of its traffic with every check, and a batch transform."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_s3 as s3

from cdk_ml_lens import (
    BatchTransform,
    ModelArtifact,
    ModelEndpoint,
    ModelSource,
    ShiftChecks,
    ShiftPlan,
    TrafficShift,
    Variant,
    VariantComparison,
)
from tests.local.shift_support import TEST

ENDPOINT = "proof-of-shift"


def build() -> cdk.Stack:
    """Build the stack; the model lies where `shift_support.upload_model` puts it."""
    stack = cdk.Stack(cdk.App(), "Shifted")
    bucket = s3.Bucket.from_bucket_name(stack, "Models", "shift-models")
    source = ModelSource.sklearn(ModelArtifact.from_bucket(bucket, "model.tar.gz"))
    endpoint = ModelEndpoint(
        stack,
        "Endpoint",
        endpoint_name=ENDPOINT,
        capture=None,
        variants=[Variant(name=name, model=source, weight=weight) for name, weight in (("blue", 1), ("green", 0))],
    )
    alarm = cloudwatch.Metric(namespace="Business", metric_name="Complaints").create_alarm(
        stack,
        "Complaints",
        threshold=1,
        evaluation_periods=1,
        treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
    )
    shift = TrafficShift(
        stack,
        "Shift",
        endpoint=endpoint,
        plan=ShiftPlan.blue_green(bake_minutes=1 / 60, extra_bakes=0),
        checks=ShiftChecks(requests=(TEST,), repeats=1, max_latency_ms=60_000, comparison=VariantComparison()),
        alarms=[alarm],
    )
    batch = BatchTransform(stack, "Batch", model=source, bucket=bucket)
    outputs = {
        "Shift": shift.machine.arn,
        "Claims": shift.table.table_name,
        "Batch": batch.machine.arn,
    }
    for name, value in outputs.items():
        cdk.CfnOutput(stack, f"{name}Output", value=value)
    return stack
