"""Templates for the tests of the laptop cloud, the smallest artifact of a model, and what a stack has made."""

from __future__ import annotations

import io
import json
import tarfile
import textwrap
from pathlib import Path
from typing import Any


def write_assembly(folder: Path, name: str, template: dict[str, Any]) -> Path:
    """Write the smallest assembly that holds ``template`` as stack ``name``."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.template.json").write_text(json.dumps(template))
    manifest = {
        "version": "55.0.0",
        "artifacts": {
            name: {
                "type": "aws:cloudformation:stack",
                "properties": {"templateFile": f"{name}.template.json"},
            }
        },
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


def stack_resources(cloud: Any, stack: str) -> dict[str, tuple[str, str]]:
    """Return type and physical id of each resource of a stack by its logical id; LocalStack will do as a cloud."""
    pages = cloud.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=stack)
    found = [item for page in pages for item in page["StackResourceSummaries"]]
    return {item["LogicalResourceId"]: (item["ResourceType"], item["PhysicalResourceId"]) for item in found}


def empty_artifact() -> bytes:
    """Return a model.tar.gz without files, which the fake model server takes."""
    buffer = io.BytesIO()
    tarfile.open(fileobj=buffer, mode="w:gz").close()
    return buffer.getvalue()


def inline_function(code: str, role: str = "Role", **properties: Any) -> dict[str, Any]:
    """Return an AWS::Lambda::Function with ``code`` as its index.py."""
    return {
        "Type": "AWS::Lambda::Function",
        "Properties": {
            "Runtime": "python3.13",
            "Handler": "index.handler",
            "Role": {"Fn::GetAtt": [role, "Arn"]},
            "Code": {"ZipFile": textwrap.dedent(code)},
            "Timeout": 20,
            **properties,
        },
    }


def role(service: str = "lambda.amazonaws.com", **properties: Any) -> dict[str, Any]:
    """Return an AWS::IAM::Role that ``service`` may assume."""
    trust = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    return {
        "Type": "AWS::IAM::Role",
        "Properties": {
            "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]},
            **properties,
        },
    }


def endpoint_resources(name: str, model_url: str) -> dict[str, Any]:
    """Return role, model, configuration and endpoint ``name`` with one variant."""
    container = {"Image": "any", "ModelDataUrl": model_url}
    variant = {
        "VariantName": "only",
        "ModelName": {"Fn::GetAtt": ["Model", "ModelName"]},
        "InitialInstanceCount": 1,
        "InstanceType": "ml.m7i.large",
        "InitialVariantWeight": 1,
    }
    config = {"Fn::GetAtt": ["Config", "EndpointConfigName"]}
    return {
        "Role": role("sagemaker.amazonaws.com"),
        "Model": {
            "Type": "AWS::SageMaker::Model",
            "Properties": {"ExecutionRoleArn": {"Fn::GetAtt": ["Role", "Arn"]}, "PrimaryContainer": container},
        },
        "Config": {"Type": "AWS::SageMaker::EndpointConfig", "Properties": {"ProductionVariants": [variant]}},
        "Endpoint": {
            "Type": "AWS::SageMaker::Endpoint",
            "Properties": {"EndpointName": name, "EndpointConfigName": config},
        },
    }


def policy(*statements: tuple[Any, Any]) -> dict[str, Any]:
    """Return a policy document that allows each (actions, resources) pair."""
    rows = [{"Effect": "Allow", "Action": action, "Resource": resource} for action, resource in statements]
    return {"Version": "2012-10-17", "Statement": rows}
