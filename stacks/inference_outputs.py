"""The names that a client of the flagship needs, by the name of an output."""

from __future__ import annotations

from collections.abc import Sequence

from cdk_ml_lens import IotInference


def outputs(inference: IotInference, features: Sequence[str]) -> dict[str, str]:
    """Return the names of the parts, and those of the model's inputs."""
    return {
        "ProvisioningTemplateName": inference.fleet.template.ref,
        "ClaimPolicyName": inference.fleet.claim.ref,
        "TopicPrefix": inference.fleet.topic_prefix,
        "EndpointName": inference.endpoint.endpoint_name,
        "PredictionBucketName": inference.bucket.bucket_name,
        "PredictionPrefix": inference.log.prefix,
        "DeadLetterQueueUrl": inference.rule.dead_letters.queue.queue_url,
        "AlertTopicArn": inference.alerts.topic.topic_arn,
        "FeatureNames": ",".join(features),
    }
