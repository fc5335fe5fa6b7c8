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
)


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
    ModelEndpoint(
        stack,
        "Asynchronous",
        variants=[Variant(name="primary", model=model, autoscaling=Autoscaling(min_capacity=0, max_capacity=4))],
        asynchronous=AsyncInference(
            success_topic=NotifyTopic(stack, "Answers").topic, error_topic=NotifyTopic(stack, "Failures").topic
        ),
    )
    # endregion
    # region: shadow
    ModelEndpoint(
        stack,
        "Shadowed",
        variants=[Variant(name="live", model=model), Variant(name="candidate", model=candidate, shadow=True)],
    )
    # endregion
    # region: many
    ModelEndpoint(
        stack, "Many", variants=[Variant(name="primary", model=MultiModelSource(bucket=models, prefix="plants"))]
    )
    # endregion
    # region: pipeline
    prepare = ModelSource.sklearn(ModelArtifact.from_parameters(stack, "Prepare"))
    ModelEndpoint(stack, "Chain", variants=[Variant(name="primary", model=PipelineSource(stages=[prepare, model]))])
    # endregion
    return stack


if __name__ == "__main__":
    main = cdk.App()
    build(main)
    main.synth()
