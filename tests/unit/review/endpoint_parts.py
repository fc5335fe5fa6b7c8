"""Models and endpoints of one variant, for the tests of rules."""

from __future__ import annotations

from typing import Any

PARAMETER = {"Ref": "Parameter"}
IF = {"Fn::If": ["Prod", {}, {"Ref": "AWS::NoValue"}]}
VARIANT: dict[str, Any] = {
    "VariantName": "a",
    "ModelName": "m",
    "InstanceType": "ml.m5.large",
    "InitialInstanceCount": 1,
}
SERVERLESS = {"VariantName": "a", "ModelName": "m", "ServerlessConfig": {"MaxConcurrency": 1, "MemorySizeInMB": 1024}}
SHARED = {"VariantName": "a", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
MANAGED = {"ManagedInstanceScaling": {"Status": "ENABLED", "MinInstanceCount": 0, "MaxInstanceCount": 2}}


def model(**properties: Any) -> dict[str, Any]:
    return {"M": ("AWS::SageMaker::Model", properties)}


def config(**properties: Any) -> dict[str, Any]:
    return {"C": ("AWS::SageMaker::EndpointConfig", {"ProductionVariants": [VARIANT]} | properties)}


def endpoint(*variants: Any, **properties: Any) -> dict[str, Any]:
    body = {"EndpointName": "live", "EndpointConfigName": {"Fn::GetAtt": ["C", "EndpointConfigName"]}} | properties
    return config(ProductionVariants=list(variants) or [VARIANT]) | {"E": ("AWS::SageMaker::Endpoint", body)}
