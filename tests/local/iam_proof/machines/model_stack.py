"""A stack with two training pipelines, one of which searches, a baseline of their registry and a monitor of drift."""

from __future__ import annotations

from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3

from cdk_ml_lens import (
    Algorithm,
    ApprovalPolicy,
    Baseline,
    CaptureSource,
    DatasetSource,
    DriftMonitor,
    Evaluation,
    MetricBound,
    ModelGate,
    ModelRegistry,
    ParameterRange,
    Serving,
    SourceCode,
    TrainingImage,
    TrainingOptions,
    TrainingPipeline,
    Tuning,
)

TINY = Path(__file__).parent / "tiny"
SEARCH = Tuning.bayesian(
    metric="loss",
    goal="Minimize",
    ranges=[ParameterRange.integer("size", 1, 4)],
    max_jobs=1,
    parallel_jobs=1,
    max_minutes=10,
)


def algorithm() -> Algorithm:
    """Return an algorithm whose jobs end at once."""
    image = TrainingImage.sklearn()
    judging = SourceCode(folder=TINY, program="evaluate.py")
    return Algorithm(
        name="tiny",
        image=image,
        serving=Serving.script(image),
        evaluation=Evaluation(source=judging, image=image, arguments=("/opt/ml/processing/output",)),
        source=SourceCode(folder=TINY, program="train.py"),
        hyperparameters={"size": "1"},
        metrics={"loss": "loss=([0-9.]+)"},
    )


def build() -> cdk.Stack:
    """Build the stack."""
    stack = cdk.Stack(cdk.App(), "Modelled")
    data = s3.Bucket(stack, "Data", encryption_key=kms.Key(stack, "Key"))
    registry = ModelRegistry(stack, "Registry", approval=ApprovalPolicy.automatic())
    datasets = DatasetSource(bucket=data)
    pipelines = {
        name: TrainingPipeline(
            stack,
            name,
            algorithm=algorithm(),
            datasets=datasets,
            registry=registry,
            gate=ModelGate(bounds=[MetricBound(metric="loss", bound=1, direction="at_most")]),
            options=options,
        )
        for name, options in (("Training", None), ("Search", TrainingOptions(tuning=SEARCH)))
    }
    baseline = Baseline(stack, "Baseline", datasets=datasets, registry=registry)
    captures = CaptureSource(bucket=data, endpoint_name="pumps", variant_name="primary")
    monitor = DriftMonitor(stack, "Monitor", captures=captures, baseline=baseline)
    outputs = {
        **{name: pipeline.machine.arn for name, pipeline in pipelines.items()},
        "Judge": pipelines["Training"].judge.function.function_name,
        "Register": pipelines["Training"].register.function.function_name,
        "Baseline": baseline.machine.arn,
        "Monitor": monitor.machine.arn,
        "Data": data.bucket_name,
        "Artifacts": registry.bucket.bucket_name,
        "Group": registry.group_name,
    }
    for name, value in outputs.items():
        cdk.CfnOutput(stack, f"{name}Output", value=value)
    return stack
