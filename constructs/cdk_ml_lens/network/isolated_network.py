"""IsolatedNetwork: a VPC with no way out but the named AWS services."""

from __future__ import annotations

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_kms as kms
from constructs import Construct

from cdk_ml_lens.core.keys import key_or_new
from cdk_ml_lens.core.nag import explain
from cdk_ml_lens.network import addresses
from cdk_ml_lens.network.flow_log import FlowLog
from cdk_ml_lens.network.private_service import PrivateService, check_services, image_layers
from cdk_ml_lens.network.reference import NetworkReference

# An empty list would mean AWS's default, which allows everything.
NOTHING_OUT = ec2.CfnSecurityGroup.EgressProperty(
    ip_protocol="icmp", from_port=252, to_port=86, cidr_ip="255.255.255.255/32", description="Nothing goes out"
)
_UNUSED_GROUP = (
    "Nothing is placed under the default security group, and there is no way out of the VPC but its endpoints, whose "
    "own group names who may enter. CloudFormation cannot empty it; AWS Config's remediation "
    "AWSConfigRemediation-RemoveVPCDefaultSecurityGroupRules can."
)


class IsolatedNetwork(Construct):
    """A VPC of private subnets without NAT or internet gateway, with private ways to the AWS services that are needed.

    Parameters
    ----------
    scope, id
        As for every construct.
    services : sequence of PrivateService, optional
        What is reached. Default: `PrivateService.for_invocation`. An interface is billed per zone and hour.
    zones : int
        Availability zones, 2 or 3, each with one subnet. Default: 2.
    cidr : str
        The VPC's private IPv4 block, /16 to /26. Default: ``10.0.0.0/16``.
    encryption_key : IKey, optional
        Customer managed key of the flow logs. Default: a new one.

    Attributes
    ----------
    vpc : IVpc
    subnets : SubnetSelection
    security_group : ISecurityGroup
        Of what runs here: nothing comes in, only HTTPS goes out.
    endpoints : dict of str to CfnVPCEndpoint
        By service name.

    Notes
    -----
    Zones are picked in CloudFormation, so nothing is looked up at synth. Lens best practices MLSEC03-BP03 and
    MLSEC06-BP02. Source: https://docs.aws.amazon.com/sagemaker/latest/dg/interface-vpc-endpoint.html
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        services: Sequence[PrivateService] | None = None,
        zones: int = 2,
        cidr: str = "10.0.0.0/16",
        encryption_key: kms.IKey | None = None,
    ) -> None:
        blocks = addresses.plan(cidr, zones)
        wanted = PrivateService.for_invocation() if services is None else tuple(services)
        check_services(wanted)
        super().__init__(scope, id)
        key = key_or_new(self, encryption_key, description="Encrypts a network's flow logs")
        self._vpc = ec2.CfnVPC(self, "Vpc", cidr_block=cidr, enable_dns_support=True, enable_dns_hostnames=True)
        explain(self._vpc, {"VPCDefaultSecurityGroupClosed": _UNUSED_GROUP})
        names = [cdk.Fn.select(number, cdk.Fn.get_azs()) for number in range(zones)]
        parts = [self._subnet(number, *pair) for number, pair in enumerate(zip(blocks, names, strict=True), start=1)]
        self.flow_log = FlowLog(self, "FlowLog", vpc_id=self._vpc.attr_vpc_id, encryption_key=key)
        self.vpc = ec2.Vpc.from_vpc_attributes(
            self,
            "Imported",
            vpc_id=self._vpc.attr_vpc_id,
            vpc_cidr_block=cidr,
            availability_zones=names,
            isolated_subnet_ids=[subnet for subnet, _ in parts],
            isolated_subnet_route_table_ids=[table for _, table in parts],
        )
        self.subnets = ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED)
        self.security_group = self._clients(cidr, wanted)
        door = self._door(cidr) if any(not service.is_gateway for service in wanted) else ""
        self.endpoints = {service.service: self._endpoint(service, wanted, parts, door) for service in wanted}

    @staticmethod
    def from_vpc(
        vpc: ec2.IVpc, *, subnets: ec2.SubnetSelection, security_group: ec2.ISecurityGroup
    ) -> NetworkReference:
        """Refer to private subnets that something else made."""
        return NetworkReference(vpc=vpc, subnets=subnets, security_group=security_group)

    def _subnet(self, number: int, block: str, zone: str) -> tuple[str, str]:
        """Make a subnet with a route table of its own, which knows the VPC and the gateways only; return both ids."""
        subnet = ec2.CfnSubnet(
            self,
            f"Subnet{number}",
            vpc_id=self._vpc.attr_vpc_id,
            cidr_block=block,
            availability_zone=zone,
            map_public_ip_on_launch=False,
        )
        table = ec2.CfnRouteTable(self, f"Routes{number}", vpc_id=self._vpc.attr_vpc_id)
        ec2.CfnSubnetRouteTableAssociation(
            self, f"Association{number}", subnet_id=subnet.attr_subnet_id, route_table_id=table.attr_route_table_id
        )
        return subnet.attr_subnet_id, table.attr_route_table_id

    def _clients(self, cidr: str, services: Sequence[PrivateService]) -> ec2.ISecurityGroup:
        """Make the security group of what runs here; a gateway has public addresses, which no other route leads to."""
        gateways = any(service.is_gateway for service in services)
        group = ec2.CfnSecurityGroup(
            self,
            "Clients",
            vpc_id=self._vpc.attr_vpc_id,
            group_description="What runs here: nothing comes in, HTTPS goes out to the endpoints",
            security_group_egress=[
                ec2.CfnSecurityGroup.EgressProperty(
                    ip_protocol="tcp",
                    from_port=443,
                    to_port=443,
                    cidr_ip="0.0.0.0/0" if gateways else cidr,
                    description="HTTPS to the endpoints",
                )
            ],
        )
        return ec2.SecurityGroup.from_security_group_id(self, "Group", group.attr_group_id, mutable=False)

    def _door(self, cidr: str) -> str:
        """Make the security group of the interfaces: HTTPS from inside, nothing else."""
        inside = ec2.CfnSecurityGroup.IngressProperty(
            ip_protocol="tcp", from_port=443, to_port=443, cidr_ip=cidr, description="HTTPS from inside"
        )
        group = ec2.CfnSecurityGroup(
            self,
            "Door",
            vpc_id=self._vpc.attr_vpc_id,
            group_description="Interface endpoints: HTTPS from inside only",
            security_group_ingress=[inside],
            security_group_egress=[NOTHING_OUT],
        )
        return group.attr_group_id

    def _endpoint(
        self,
        service: PrivateService,
        services: Sequence[PrivateService],
        parts: Sequence[tuple[str, str]],
        door: str,
    ) -> ec2.CfnVPCEndpoint:
        stack = cdk.Stack.of(self)
        policy = dict(service.policy(stack.account))
        if service.service == "s3" and any(other.service == "ecr.dkr" for other in services):
            policy["Statement"] = [*policy["Statement"], image_layers(stack.partition, stack.region)]
        way = (
            {"vpc_endpoint_type": "Gateway", "route_table_ids": [table for _, table in parts]}
            if service.is_gateway
            else {
                "vpc_endpoint_type": "Interface",
                "subnet_ids": [subnet for subnet, _ in parts],
                "security_group_ids": [door],
                "private_dns_enabled": True,
            }
        )
        name = "".join(word.capitalize() for word in service.service.replace("-", ".").split("."))
        return ec2.CfnVPCEndpoint(
            self,
            f"{name}Endpoint",
            vpc_id=self._vpc.attr_vpc_id,
            service_name=service.endpoint_service(stack.region),
            policy_document=policy,
            **way,
        )
