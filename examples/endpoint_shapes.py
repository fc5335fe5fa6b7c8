"""The shapes of an endpoint: serverless, asynchronous, shadow, many models, a chain of containers."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_s3 as s3

from cdk_ml_lens import (
    AsyncInference,
    Autoscaling,
    ModelArtifact,
    ModelEndpoint,
    ModelSource,
    MultiModelSource,
    NotifyTopic,
    PipelineSource,
    ServerlessVariant,
    Variant,
    harden,
)
from cdk_ml_lens.core.nag import acknowledge


def build(app: cdk.App) -> cdk.Stack:
    """Build the stack."""
    stack = cdk.Stack(app, "EndpointShapes")
    models = s3.Bucket.from_bucket_name(stack, "Models", "example-models")
    model = ModelSource.sklearn(ModelArtifact.from_parameters(stack, "Model"))
    candidate = ModelSource.sklearn(ModelArtifact.from_parameters(stack, "Candidate"))
    # region: serverless
    ModelEndpoint(stack, "Serverless", variants=[ServerlessVariant(name="primary", model=model, memory_mb=2048)])
    # endregion
    # region: asynchronous
    asynchronous = ModelEndpoint(
        stack,
        "Asynchronous",
        variants=[Variant(name="primary", model=model, autoscaling=Autoscaling(min_capacity=0, max_capacity=4))],
        asynchronous=AsyncInference(
            success_topic=NotifyTopic(stack, "Answers").topic, error_topic=NotifyTopic(stack, "Failures").topic
        ),
    )
    # endregion
    # region: shadow
    shadowed = ModelEndpoint(
        stack,
        "Shadowed",
        variants=[Variant(name="live", model=model), Variant(name="candidate", model=candidate, shadow=True)],
    )
    # endregion
    # region: many
    many = ModelEndpoint(
        stack, "Many", variants=[Variant(name="primary", model=MultiModelSource(bucket=models, prefix="plants"))]
    )
    # endregion
    # region: pipeline
    prepare = ModelSource.sklearn(ModelArtifact.from_parameters(stack, "Prepare"))
    chain = ModelEndpoint(
        stack, "Chain", variants=[Variant(name="primary", model=PipelineSource(stages=[prepare, model]))]
    )
    # endregion
    for shape in (asynchronous, shadowed, many, chain):
        acknowledge(
            shape.endpoint,
            "SM8",
            "Updates all at once are enough for an example; rollout=Rollout.canary() stages them.",
            pack="MlLens",
        )
        acknowledge(
            shape.config,
            "MO1",
            "The example ends at the endpoint; a DriftMonitor on these captures reads them.",
            pack="MlLens",
        )
    for shape, name in ((shadowed, "live"), (many, "primary"), (chain, "primary")):
        acknowledge(
            shape.endpoint,
            f"SM9[{name}]",
            "One instance carries the example's traffic; Variant(autoscaling=) follows more.",
            pack="MlLens",
        )
    harden(stack, alarm_topic=NotifyTopic(stack, "Told").topic)
    acknowledge(
        stack,
        "OPS1",
        "An example: a budget belongs to the account. One AWS::Budgets::Budget in the app ends this.",
        pack="MlLens",
    )
    return stack


if __name__ == "__main__":
    main = cdk.App()
    build(main)
    main.synth()
