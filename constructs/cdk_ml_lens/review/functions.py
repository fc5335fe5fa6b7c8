"""Lambda functions that serve the system, and what calls them without waiting."""

from __future__ import annotations

from collections.abc import Iterator

from cdk_ml_lens.review.template import Resource, Template

FUNCTION = "AWS::Lambda::Function"
# Where each kind of source names the function that it calls asynchronously.
_SOURCES = {
    "AWS::Events::Rule": "Targets",
    "AWS::IoT::TopicRule": "TopicRulePayload.Actions",
    "AWS::S3::Bucket": "NotificationConfiguration.LambdaConfigurations",
    "AWS::SNS::Subscription": "Endpoint",
    "AWS::Scheduler::Schedule": "Target.Arn",
}


def of(template: Template) -> Iterator[Resource]:
    """Yield the functions that run when the system runs: not those that CloudFormation calls for custom resources."""
    providers = {
        provider.logical_id
        for resource in template.resources.values()
        for provider in template.targets(resource.get("ServiceToken"))
    }
    return (function for function in template.of_type(FUNCTION) if function.logical_id not in providers)


def called_asynchronously(template: Template) -> Iterator[Resource]:
    """Yield functions, and aliases resolved to them, that a rule, topic, bucket or schedule of the template calls."""
    seen = set()
    for source in template.of_type(*_SOURCES):
        for target in template.targets(source.get(_SOURCES[source.type])):
            function = template.target(target.get("FunctionName")) if target.type == "AWS::Lambda::Alias" else target
            if function is not None and function.type == FUNCTION and function.logical_id not in seen:
                seen.add(function.logical_id)
                yield function
