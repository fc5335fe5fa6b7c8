"""PrivateService: one AWS service that a network reaches without the internet, with the policy of that way."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cdk_ml_lens.core.errors import Faults

# What a service is called in com.amazonaws.<region>.<service>, and its prefix in IAM. Source:
# https://docs.aws.amazon.com/vpc/latest/privatelink/aws-services-privatelink-support.html
_IAM_PREFIX = {
    "athena": "athena",
    "bedrock-runtime": "bedrock",
    "dynamodb": "dynamodb",
    "ecr.api": "ecr",
    "ecr.dkr": "ecr",
    "events": "events",
    "glue": "glue",
    "kinesis-firehose": "firehose",
    "kinesis-streams": "kinesis",
    "kms": "kms",
    "lambda": "lambda",
    "logs": "logs",
    "monitoring": "cloudwatch",
    "notebook": "sagemaker",
    "s3": "s3",
    "sagemaker.api": "sagemaker",
    "sagemaker.featurestore-runtime": "sagemaker",
    "sagemaker.runtime": "sagemaker",
    "secretsmanager": "secretsmanager",
    "sns": "sns",
    "sqs": "sqs",
    "ssm": "ssm",
    "states": "states",
    "sts": "sts",
    "studio": "sagemaker",
    "xray": "xray",
}
# Free, and routed instead of resolved. Source: https://docs.aws.amazon.com/vpc/latest/privatelink/gateway-endpoints.html
GATEWAYS = frozenset({"dynamodb", "s3"})
# Named aws.sagemaker.<region>.<service>. Source:
# https://docs.aws.amazon.com/sagemaker/latest/dg/notebook-interface-endpoint.html, studio-interface-endpoint.html
_WORKBENCHES = frozenset({"notebook", "studio"})
_ACTION = re.compile(r"[a-z0-9-]+:[A-Za-z]+")


@dataclass(frozen=True, kw_only=True)
class PrivateService:
    """A service that an `IsolatedNetwork` reaches: S3 and DynamoDB through a gateway, any other by PrivateLink.

    Parameters
    ----------
    service : str
        Last part of the endpoint service's name, as AWS lists it: ``sagemaker.runtime``, ``ecr.dkr``, ``s3`` ….
    actions : sequence of str, optional
        The only IAM actions that pass, written out. Default: every action of the service.
    resources : sequence of str, optional
        The only ARNs that they pass for. Default: every resource.

    Raises
    ------
    PropError
        When the service is unknown and has no actions, or an action is not written out.

    Notes
    -----
    Whatever the actions, only principals of the network's own account pass: credentials brought from elsewhere cannot
    carry data out. Source: https://docs.aws.amazon.com/vpc/latest/privatelink/vpc-endpoints-access.html. Lens best
    practice MLSEC03-BP03.
    """

    service: str
    actions: Sequence[str] | None = None
    resources: Sequence[str] | None = None

    def __post_init__(self) -> None:
        faults = Faults(f"private service {self.service!r}")
        if self.actions is None:
            hint = "give its actions, then any service is taken"
            faults.unless(
                self.service in _IAM_PREFIX, "service", f"be one of {sorted(_IAM_PREFIX)}", self.service, hint
            )
        else:
            exact = bool(self.actions) and all(_ACTION.fullmatch(action) for action in self.actions)
            faults.unless(exact, "actions", "be IAM actions without wildcards", list(self.actions))
        if self.resources is not None:
            faults.unless(bool(self.resources), "resources", "name at least one ARN", list(self.resources))
        faults.raise_any()

    @staticmethod
    def for_invocation() -> tuple[PrivateService, ...]:
        """Return what a caller of endpoints needs: SageMaker runtime, for InvokeEndpoint only."""
        return (PrivateService(service="sagemaker.runtime", actions=["sagemaker:InvokeEndpoint"]),)

    @staticmethod
    def for_containers() -> tuple[PrivateService, ...]:
        """Return what SageMaker AI containers in a VPC need: S3, images, logs, metrics, keys, roles, their own API.

        Source: https://docs.aws.amazon.com/sagemaker/latest/dg/train-vpc.html
        """
        names = ("s3", "ecr.api", "ecr.dkr", "logs", "monitoring", "kms", "sts", "sagemaker.api", "sagemaker.runtime")
        return tuple(PrivateService(service=name) for name in names)

    @staticmethod
    def for_workbench(kind: str) -> tuple[PrivateService, ...]:
        """Return what a `SecureWorkbench` needs: its pages, SageMaker's APIs, S3, logs, keys, roles.

        Parameters
        ----------
        kind : {"notebook", "studio"}
            Which pages.

        Source: https://docs.aws.amazon.com/sagemaker/latest/dg/studio-updated-and-internet-access.html
        """
        faults = Faults("private services of a workbench")
        faults.unless(kind in _WORKBENCHES, "kind", f"be one of {sorted(_WORKBENCHES)}", kind)
        faults.raise_any()
        names = ("s3", "logs", "kms", "sts", "sagemaker.api", "sagemaker.runtime", kind)
        return tuple(PrivateService(service=name) for name in names)

    def endpoint_service(self, region: str) -> str:
        """Return the full name of the endpoint service in a region."""
        prefix = "aws.sagemaker" if self.service in _WORKBENCHES else "com.amazonaws"
        return f"{prefix}.{region}.{self.service}"

    @property
    def is_gateway(self) -> bool:
        """Whether it is a gateway in the route tables, not an interface in the subnets."""
        return self.service in GATEWAYS

    def policy(self, account: str) -> Mapping[str, Any]:
        """Return the endpoint's policy document.

        Parameters
        ----------
        account : str
            The only account whose principals pass.
        """
        actions = [f"{_IAM_PREFIX[self.service]}:*"] if self.actions is None else list(self.actions)
        statement = {
            "Sid": "OwnPrincipals",
            "Effect": "Allow",
            "Principal": "*",
            "Action": actions,
            "Resource": ["*"] if self.resources is None else list(self.resources),
            "Condition": {"StringEquals": {"aws:PrincipalAccount": account}},
        }
        return {"Version": "2012-10-17", "Statement": [statement]}


def image_layers(partition: str, region: str) -> Mapping[str, Any]:
    """Return the statement that lets ECR's image layers through the S3 gateway: ECR signs those reads, not the caller.

    Source: https://docs.aws.amazon.com/AmazonECR/latest/userguide/vpc-endpoints.html#ecr-setting-up-s3-gateway
    """
    return {
        "Sid": "ImageLayers",
        "Effect": "Allow",
        "Principal": "*",
        "Action": ["s3:GetObject"],
        "Resource": [f"arn:{partition}:s3:::prod-{region}-starport-layer-bucket/*"],
    }


def check_services(services: Sequence[PrivateService]) -> None:
    """Raise a `PropError` when a service is listed twice: private DNS allows one endpoint of a service in a VPC."""
    names = [service.service for service in services]
    faults = Faults("network")
    faults.unless(len(set(names)) == len(names), "services", "list each service once", names)
    faults.raise_any()
