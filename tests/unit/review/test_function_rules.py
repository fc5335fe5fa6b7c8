"""Rules of Lambda: processor, failures, traces, logs and runtime."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.review.reports import findings

ARN = {"Fn::GetAtt": ["Score", "Arn"]}


def function(**properties: Any) -> dict[str, Any]:
    return {"Score": ("AWS::Lambda::Function", {"Runtime": "python3.13", **properties})}


def test_functions_off_arm64_are_found() -> None:
    assert findings("FN1", function()) == ["Score"]
    assert findings("FN1", function(Architectures=["x86_64"])) == ["Score"]
    assert findings("FN1", function(Architectures=["arm64"])) == []
    assert findings("FN1", function(Architectures=[{"Ref": "ProcessorOfAParameter"}])) == []


def test_providers_of_custom_resources_are_left_alone() -> None:
    custom = {"Seed": ("Custom::Seed", {"ServiceToken": ARN})}
    for rule in ("FN1", "FN3", "FN4"):
        assert findings(rule, {**function(), **custom}) == []


@pytest.mark.parametrize(
    ("kind", "properties"),
    [
        ("AWS::Events::Rule", {"Targets": [{"Id": "s", "Arn": ARN}]}),
        ("AWS::SNS::Subscription", {"Protocol": "lambda", "Endpoint": ARN}),
        ("AWS::S3::Bucket", {"NotificationConfiguration": {"LambdaConfigurations": [{"Function": ARN}]}}),
        ("AWS::IoT::TopicRule", {"TopicRulePayload": {"Actions": [{"Lambda": {"FunctionArn": ARN}}]}}),
        ("AWS::Scheduler::Schedule", {"Target": {"Arn": ARN}}),
    ],
)
def test_a_function_called_asynchronously_keeps_failures(kind: str, properties: dict[str, Any]) -> None:
    source = {"Source": (kind, properties)}
    assert findings("FN2", {**function(), **source}) == ["Score"]
    assert findings("FN2", {**function(DeadLetterConfig={"TargetArn": "arn"}), **source}) == []
    config = {"FunctionName": {"Ref": "Score"}, "DestinationConfig": {"OnFailure": {"Destination": "arn"}}}
    invoke = {"Invoke": ("AWS::Lambda::EventInvokeConfig", config)}
    assert findings("FN2", {**function(), **source, **invoke}) == []


def test_a_function_behind_an_alias_is_found() -> None:
    alias = {"Live": ("AWS::Lambda::Alias", {"FunctionName": {"Ref": "Score"}, "Name": "live"})}
    rule = {"Rule": ("AWS::Events::Rule", {"Targets": [{"Id": "s", "Arn": {"Ref": "Live"}}]})}
    assert findings("FN2", {**function(), **alias, **rule}) == ["Score"]


def test_a_function_that_is_only_awaited_passes() -> None:
    assert findings("FN2", function()) == []


def mapping(**properties: Any) -> dict[str, Any]:
    return {"Mapping": ("AWS::Lambda::EventSourceMapping", {"FunctionName": ARN, **properties})}


def test_a_stream_reader_keeps_failures() -> None:
    stream = {"EventSourceArn": "arn:stream", "StartingPosition": "LATEST"}
    assert findings("FN2", mapping(**stream)) == ["Mapping"]
    kept = {"DestinationConfig": {"OnFailure": {"Destination": "arn"}}}
    assert findings("FN2", mapping(**stream, **kept)) == []


def test_a_queue_reader_needs_a_dead_letter_queue() -> None:
    source = mapping(EventSourceArn={"Fn::GetAtt": ["Queue", "Arn"]})
    assert findings("FN2", {"Queue": ("AWS::SQS::Queue", {}), **source}) == ["Mapping"]
    assert findings("FN2", {"Queue": ("AWS::SQS::Queue", {"RedrivePolicy": {}}), **source}) == []
    assert findings("FN2", mapping(EventSourceArn="arn:aws:sqs:eu-west-1:111111111111:queue")) == []


def test_functions_without_tracing_are_found() -> None:
    assert findings("FN3", function()) == ["Score"]
    assert findings("FN3", function(TracingConfig={"Mode": "Active"})) == []
    assert findings("FN3", function(TracingConfig={"Mode": {"Fn::If": ["Prod", "Active", "PassThrough"]}})) == []


def test_functions_without_retention_are_found() -> None:
    assert findings("FN4", function()) == ["Score"]
    logging = function(LoggingConfig={"LogGroup": {"Ref": "Logs"}})
    assert findings("FN4", {**logging, "Logs": ("AWS::Logs::LogGroup", {})}) == ["Score"]
    assert findings("FN4", {**logging, "Logs": ("AWS::Logs::LogGroup", {"RetentionInDays": 30})}) == []
    assert findings("FN4", function(LoggingConfig={"LogGroup": "a-group-from-outside"})) == []


def test_a_log_group_named_after_the_function_counts() -> None:
    name = {"Fn::Join": ["", ["/aws/lambda/", {"Ref": "Score"}]]}
    group = {"Logs": ("AWS::Logs::LogGroup", {"LogGroupName": name, "RetentionInDays": 30})}
    assert findings("FN4", {**function(), **group}) == []
    plain = {"Logs": ("AWS::Logs::LogGroup", {"LogGroupName": "/aws/lambda/score", "RetentionInDays": 30})}
    assert findings("FN4", {**function(FunctionName="score"), **plain}) == []


def test_deprecated_runtimes_are_found() -> None:
    assert findings("FN5", function(Runtime="python3.8")) == ["Score"]
    assert findings("FN5", function(Runtime="python3.13")) == []
    assert findings("FN5", function(Runtime={"Ref": "RuntimeOfAParameter"})) == []
    assert findings("FN5", {"Image": ("AWS::Lambda::Function", {"PackageType": "Image"})}) == []
