"""HandlerFunction in a network: placed there, with the rights that Lambda needs and its code has not."""

from __future__ import annotations

from collections.abc import Callable

import aws_cdk as cdk

from cdk_ml_lens import IsolatedNetwork
from cdk_ml_lens.core.function import HandlerFunction
from cdk_ml_lens.core.keys import data_key
from tests.unit.templates import Template


def make(stack: cdk.Stack) -> None:
    key = data_key(stack, "Key", description="test")
    network = IsolatedNetwork(stack, "Network", encryption_key=key)
    HandlerFunction(stack, "Handler", handler="answer_request", environment={}, encryption_key=key, network=network)


def test_function_is_in_the_networks_subnets_and_group(
    stack: cdk.Stack, synth: Callable[[cdk.Stack], Template]
) -> None:
    make(stack)
    place = synth(stack).only("AWS::Lambda::Function")["VpcConfig"]
    assert len(place["SubnetIds"]) == 2
    (group,) = place["SecurityGroupIds"]
    assert "Clients" in group["Fn::GetAtt"][0]


def test_a_function_is_placed_once(stack: cdk.Stack, synth: Callable[[cdk.Stack], Template]) -> None:
    key = data_key(stack, "Key", description="test")
    first, second = (IsolatedNetwork(stack, name, encryption_key=key) for name in ("First", "Second"))
    function = HandlerFunction(stack, "Handler", handler="answer_request", environment={}, encryption_key=key)
    function.place_in(first)
    function.place_in(second)
    place = synth(stack).only("AWS::Lambda::Function")["VpcConfig"]
    assert len(place["SubnetIds"]) == 2
    assert "First" in str(place)
    assert "Second" not in str(place)


def test_lambda_may_make_interfaces_in_these_subnets_only_and_before_the_function_is_made(
    stack: cdk.Stack, synth: Callable[[cdk.Stack], Template]
) -> None:
    make(stack)
    template = synth(stack)
    allowed = {str(statement["Action"]): statement for statement in template.statements("HandlerRole")}
    places = str(allowed["ec2:CreateNetworkInterface"]["Resource"])
    assert all(part in places for part in ("network-interface/*", "Subnet1", "Subnet2", "Clients"))
    assert "subnet/*" not in places
    assert all("ManagedPolicyArns" not in role["Properties"] for role in template.of_type("AWS::IAM::Role").values())
    ((function, _),) = template.of_type("AWS::Lambda::Function").items()
    assert any("HandlerRole" in dependency for dependency in template.depends_on(function))


def test_the_functions_own_code_may_not(stack: cdk.Stack, synth: Callable[[cdk.Stack], Template]) -> None:
    make(stack)
    template = synth(stack)
    (denied,) = template.statements("NoNetworkCalls")
    ((function, _),) = template.of_type("AWS::Lambda::Function").items()
    assert denied["Effect"] == "Deny"
    assert denied["Condition"] == {"ArnEquals": {"lambda:SourceFunctionArn": {"Fn::GetAtt": [function, "Arn"]}}}
    allowed = {action for action in template.actions("HandlerRole") if action.startswith("ec2:")}
    assert set(denied["Action"]) == allowed


def test_nag_is_clean(stack: cdk.Stack, nag: Callable[[cdk.Stack], list[str]]) -> None:
    make(stack)
    assert nag(stack) == []
