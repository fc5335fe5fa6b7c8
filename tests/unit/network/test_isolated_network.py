"""IsolatedNetwork: no way out, private ways by need, exact policies, no lookups, logged flows."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_kms as kms

from cdk_ml_lens import IsolatedNetwork, PrivateService, PropError
from tests.unit.templates import Template

Synth = Callable[[cdk.Stack], Template]
WAYS_OUT = ("InternetGateway", "NatGateway", "EgressOnlyInternetGateway", "VPCGatewayAttachment", "Route", "EIP")


def endpoint(template: Template, service: str) -> dict[str, Any]:
    """Return the properties of the endpoint of a service."""
    found = [res["Properties"] for res in template.of_type("AWS::EC2::VPCEndpoint").values()]
    (only,) = [props for props in found if json.dumps(props["ServiceName"]).endswith(f'.{service}"]]}}')]
    return only


def groups(template: Template) -> dict[str, dict[str, Any]]:
    found = template.of_type("AWS::EC2::SecurityGroup").values()
    return {res["Properties"]["GroupDescription"].split(":")[0]: res["Properties"] for res in found}


def test_minimal_has_two_private_subnets_and_no_way_out(stack: cdk.Stack, synth: Synth) -> None:
    IsolatedNetwork(stack, "Network")
    template = synth(stack)
    for noun in WAYS_OUT:
        assert template.of_type(f"AWS::EC2::{noun}") == {}, noun
    subnets = [res["Properties"] for res in template.of_type("AWS::EC2::Subnet").values()]
    assert [subnet["CidrBlock"] for subnet in subnets] == ["10.0.0.0/18", "10.0.64.0/18"]
    assert all(subnet["MapPublicIpOnLaunch"] is False for subnet in subnets)
    assert [subnet["AvailabilityZone"]["Fn::Select"][0] for subnet in subnets] == [0, 1]


def test_minimal_reaches_invocations_only_for_principals_of_the_account(stack: cdk.Stack, synth: Synth) -> None:
    IsolatedNetwork(stack, "Network")
    template = synth(stack)
    way = template.only("AWS::EC2::VPCEndpoint")
    assert way["VpcEndpointType"] == "Interface"
    assert way["PrivateDnsEnabled"] is True
    assert len(way["SubnetIds"]) == 2
    (statement,) = way["PolicyDocument"]["Statement"]
    assert statement["Action"] == ["sagemaker:InvokeEndpoint"]
    assert statement["Condition"] == {"StringEquals": {"aws:PrincipalAccount": {"Ref": "AWS::AccountId"}}}


def test_https_from_inside_is_all_that_the_groups_allow(stack: cdk.Stack, synth: Synth) -> None:
    IsolatedNetwork(stack, "Network", cidr="172.16.0.0/20")
    found = groups(synth(stack))
    door, clients = found["Interface endpoints"], found["What runs here"]
    (inside,) = door["SecurityGroupIngress"]
    assert (inside["IpProtocol"], inside["FromPort"], inside["ToPort"]) == ("tcp", 443, 443)
    assert inside["CidrIp"] == "172.16.0.0/20"
    (nothing,) = door["SecurityGroupEgress"]
    assert nothing["CidrIp"] == "255.255.255.255/32"
    assert "SecurityGroupIngress" not in clients
    (out,) = clients["SecurityGroupEgress"]
    assert (out["FromPort"], out["ToPort"], out["CidrIp"]) == (443, 443, "172.16.0.0/20")


def test_a_gateway_is_in_every_route_table_and_may_be_addressed(stack: cdk.Stack, synth: Synth) -> None:
    IsolatedNetwork(stack, "Network", services=[PrivateService(service="dynamodb")], zones=3)
    template = synth(stack)
    way = template.only("AWS::EC2::VPCEndpoint")
    assert way["VpcEndpointType"] == "Gateway"
    assert len(way["RouteTableIds"]) == 3
    assert list(groups(template)) == ["What runs here"]  # a gateway needs no door
    assert groups(template)["What runs here"]["SecurityGroupEgress"][0]["CidrIp"] == "0.0.0.0/0"


def test_full_has_three_zones_all_that_containers_need_and_a_given_key(stack: cdk.Stack, synth: Synth) -> None:
    key = kms.Key.from_key_arn(stack, "Key", "arn:aws:kms:us-east-1:111122223333:key/k")
    IsolatedNetwork(stack, "Network", services=PrivateService.for_containers(), zones=3, encryption_key=key)
    template = synth(stack)
    assert len(template.of_type("AWS::EC2::Subnet")) == 3
    assert template.of_type("AWS::KMS::Key") == {}
    interfaces = ["ecr.api", "ecr.dkr", "logs", "monitoring", "kms", "sts", "sagemaker.api", "sagemaker.runtime"]
    for name in interfaces:
        assert len(endpoint(template, name)["SubnetIds"]) == 3
    assert len(template.of_type("AWS::EC2::VPCEndpoint")) == len(interfaces) + 1
    assert endpoint(template, "monitoring")["PolicyDocument"]["Statement"][0]["Action"] == ["cloudwatch:*"]


def test_image_layers_pass_the_s3_gateway_only_where_images_are_pulled(stack: cdk.Stack, synth: Synth) -> None:
    s3 = PrivateService(service="s3")
    IsolatedNetwork(stack, "Plain", services=[s3])
    plain = synth(stack)
    other = cdk.Stack(cdk.App(), "Other")
    IsolatedNetwork(other, "Pulling", services=[s3, PrivateService(service="ecr.dkr")])
    root = other.node.root
    assert isinstance(root, cdk.App)
    pulling = Template(root.synth().get_stack_by_name("Other").template)
    assert len(endpoint(plain, "s3")["PolicyDocument"]["Statement"]) == 1
    layers = endpoint(pulling, "s3")["PolicyDocument"]["Statement"][1]
    assert layers["Action"] == ["s3:GetObject"]
    assert "starport-layer-bucket" in json.dumps(layers["Resource"])


def test_exact_actions_and_resources_are_the_whole_policy(stack: cdk.Stack, synth: Synth) -> None:
    arn = "arn:aws:sqs:us-east-1:111122223333:readings"
    IsolatedNetwork(
        stack, "Network", services=[PrivateService(service="sqs", actions=["sqs:SendMessage"], resources=[arn])]
    )
    (statement,) = synth(stack).only("AWS::EC2::VPCEndpoint")["PolicyDocument"]["Statement"]
    assert (statement["Action"], statement["Resource"]) == (["sqs:SendMessage"], [arn])


def test_a_service_that_is_not_in_the_table_is_taken_with_its_actions(stack: cdk.Stack, synth: Synth) -> None:
    IsolatedNetwork(stack, "Network", services=[PrivateService(service="textract", actions=["textract:AnalyzeID"])])
    assert endpoint(synth(stack), "textract")["PrivateDnsEnabled"] is True


def test_flows_are_logged_encrypted_by_a_role_of_this_vpcs_logs_only(stack: cdk.Stack, synth: Synth) -> None:
    IsolatedNetwork(stack, "Network")
    template = synth(stack)
    flow_log = template.only("AWS::EC2::FlowLog")
    assert (flow_log["TrafficType"], flow_log["ResourceType"]) == ("ALL", "VPC")
    group = template.only("AWS::Logs::LogGroup")
    assert "KmsKeyId" in group
    trust = template.only("AWS::IAM::Role")["AssumeRolePolicyDocument"]["Statement"][0]
    assert trust["Condition"]["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
    ((flow_log_id, _),) = template.of_type("AWS::EC2::FlowLog").items()
    assert set(template.of_type("AWS::IAM::Policy")) <= template.depends_on(flow_log_id)


def test_nothing_is_looked_up_even_where_account_and_region_are_known(app: cdk.App, synth: Synth) -> None:
    stack = cdk.Stack(app, "Known", env=cdk.Environment(account="111122223333", region="eu-central-1"))
    IsolatedNetwork(stack, "Network", zones=3)
    assert len(synth(stack).of_type("AWS::EC2::Subnet")) == 3
    manifest = json.loads((Path(app.synth().directory) / "manifest.json").read_text())
    assert "missing" not in manifest  # where the CLI reads what it has to look up


def test_somebody_elses_subnets_meet_the_protocol(stack: cdk.Stack) -> None:
    vpc = ec2.Vpc.from_vpc_attributes(
        stack, "Vpc", vpc_id="vpc-1", availability_zones=["a", "b"], isolated_subnet_ids=["subnet-1", "subnet-2"]
    )
    group = ec2.SecurityGroup.from_security_group_id(stack, "Group", "sg-1")
    subnets = ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED)
    network = IsolatedNetwork.from_vpc(vpc, subnets=subnets, security_group=group)
    assert (network.vpc, network.subnets, network.security_group) == (vpc, subnets, group)


def test_nag_is_clean(stack: cdk.Stack, nag: Callable[[cdk.Stack], list[str]]) -> None:
    IsolatedNetwork(stack, "Network", services=PrivateService.for_containers())
    assert nag(stack) == []


@pytest.mark.parametrize(
    ("props", "message"),
    [
        ({"zones": 1}, "zones must be between 2 and 3 for network, got 1"),
        ({"zones": 4}, "zones must be between 2 and 3"),
        ({"cidr": "8.8.0.0/16"}, "cidr must be a private IPv4 block from /16 to /26 for network, got '8.8.0.0/16'"),
        ({"cidr": "10.0.0.0/8"}, "cidr must be a private IPv4 block"),
        ({"cidr": "10.0.0.0/27"}, "cidr must be a private IPv4 block"),
        ({"cidr": "10.0.0.1/16"}, "cidr must be a private IPv4 block"),
        ({"services": [PrivateService(service="kms")] * 2}, "services must list each service once"),
    ],
)
def test_fails_before_anything_is_made(stack: cdk.Stack, props: dict[str, Any], message: str) -> None:
    with pytest.raises(PropError, match=message):
        IsolatedNetwork(stack, "Network", **props)
    assert stack.node.try_find_child("Network") is None


@pytest.mark.parametrize(
    ("props", "message"),
    [
        ({"service": "textract"}, "service must be one of .* got 'textract'; give its actions"),
        ({"service": "sqs", "actions": []}, "actions must be IAM actions without wildcards"),
        ({"service": "sqs", "actions": ["sqs:*"]}, "actions must be IAM actions without wildcards"),
        ({"service": "sqs", "resources": []}, "resources must name at least one ARN"),
    ],
)
def test_fails_for_a_service_that_is_not_exact(props: dict[str, Any], message: str) -> None:
    with pytest.raises(PropError, match=message):
        PrivateService(**props)
