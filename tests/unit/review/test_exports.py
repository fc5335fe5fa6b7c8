"""What other stacks import may be watched or guarded there: rules about what is missing let it pass."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cdk_ml_lens.review.rules import every_rule
from cdk_ml_lens.review.template import Template

TASK = {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke"}
PARTS: dict[str, tuple[str, dict[str, Any]]] = {
    "MO1": (
        "Config",
        {
            "Shared": {"Type": "AWS::S3::Bucket"},
            "Config": {
                "Type": "AWS::SageMaker::EndpointConfig",
                "Properties": {
                    "DataCaptureConfig": {"EnableCapture": True, "DestinationS3Uri": {"Fn::Sub": "s3://${Shared}/c"}}
                },
            },
        },
    ),
    "OPS3": ("Shared", {"Shared": {"Type": "AWS::CloudWatch::Alarm"}}),
    "OPS4": (
        "Shared",
        {
            "Shared": {"Type": "AWS::SQS::Queue"},
            "Work": {
                "Type": "AWS::SQS::Queue",
                "Properties": {"RedrivePolicy": {"deadLetterTargetArn": {"Fn::GetAtt": ["Shared", "Arn"]}}},
            },
        },
    ),
    "API2": (
        "Stage",
        {
            "Shared": {"Type": "AWS::ApiGateway::RestApi"},
            "Stage": {"Type": "AWS::ApiGateway::Stage", "Properties": {"RestApiId": {"Ref": "Shared"}}},
        },
    ),
    "SF4": (
        "Shared",
        {
            "Shared": {
                "Type": "AWS::StepFunctions::StateMachine",
                "Properties": {"DefinitionString": json.dumps({"States": {"Do": TASK}})},
            }
        },
    ),
}


def found(rule_id: str, output: dict[str, Any]) -> list[str]:
    template = Template({"Resources": PARTS[rule_id][1], "Outputs": {"One": output}})
    (rule,) = [rule for rule in every_rule() if rule.id == rule_id]
    return [finding.logical_id for finding in rule.check(template)]


@pytest.mark.parametrize("rule_id", sorted(PARTS))
def test_what_is_exported_passes(rule_id: str) -> None:
    assert found(rule_id, {"Value": {"Ref": "Shared"}, "Export": {"Name": "shared"}}) == []


@pytest.mark.parametrize("rule_id", sorted(PARTS))
def test_an_output_that_only_informs_changes_nothing(rule_id: str) -> None:
    assert found(rule_id, {"Value": {"Ref": "Shared"}}) == [PARTS[rule_id][0]]
