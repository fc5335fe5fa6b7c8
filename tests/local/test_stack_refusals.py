"""Stacks that the laptop cloud refuses as AWS would: what a resource names must exist."""

from __future__ import annotations

from typing import Any

import pytest

from cdk_ml_lens.local import DeployError, LaptopCloud
from tests.local.conftest import Deploy

pytestmark = pytest.mark.laptop_cloud
ACL = "arn:aws:wafv2:us-east-1:000000000000:regional/webacl/none/1"
STAGE = "arn:aws:apigateway:us-east-1::/restapis/none/stages/prod"
WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "firewall": (
        {"Type": "AWS::WAFv2::WebACLAssociation", "Properties": {"ResourceArn": STAGE, "WebACLArn": ACL}},
        r"Wrong \(AWS::WAFv2::WebACLAssociation\): AssociateWebACL failed",
    ),
    "validator": (
        {"Type": "AWS::ApiGateway::RequestValidator", "Properties": {"RestApiId": "none", "Name": "all"}},
        "CreateRequestValidator failed: .*Invalid API identifier",
    ),
    "instance": (
        {
            "Type": "AWS::SageMaker::EndpointConfig",
            "Properties": {
                "ProductionVariants": [
                    {
                        "VariantName": "v",
                        "ModelName": "none",
                        "InitialInstanceCount": 1,
                        "InstanceType": "t3.large",
                        "InitialVariantWeight": 1,
                    }
                ]
            },
        },
        "InstanceType must look like ml.m5.large, got t3.large",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_stack_that_names_what_does_not_exist_is_rolled_back_with_the_services_words(
    case: str, laptop_cloud: LaptopCloud, deploy_template: Deploy
) -> None:
    resource, reason = WRONG[case]
    with pytest.raises(DeployError, match=reason) as caught:
        deploy_template(f"Wrong-{case}", {"Wrong": resource})
    assert caught.value.status == "ROLLBACK_COMPLETE"
    assert [failure.logical_id for failure in caught.value.failures] == ["Wrong"]
