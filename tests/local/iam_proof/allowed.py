"""What an emulator cannot show, as data: each entry says which action, where, and why."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase

from tests.local.iam_proof.catalog import Right


@dataclass(frozen=True, kw_only=True)
class Allowed:
    """A right that is not proven.

    Parameters
    ----------
    action, resource, kind : str
        Patterns as of `fnmatch`, of the action, the resource's shape and the kind of the role. Default: any.
    reason : str
        Why the laptop cloud cannot show that it is needed, and what says that it is.
    """

    action: str
    reason: str
    resource: str = "*"
    kind: str = "*"

    def covers(self, kind: str, right: Right) -> bool:
        """Tell whether the entry is about a right of a kind of role."""
        given = ((kind, self.kind), (right.action, self.action), (right.resource, self.resource))
        return all(fnmatchcase(value, pattern) for value, pattern in given)


ANCESTRY = (("glue:*", "catalog"), ("glue:GetTable", "database"), ("glue:GetDatabase", "table"))
ALLOWED = (
    Allowed(
        action="xray:*",
        reason="The laptop cloud has no X-Ray daemon. X-Ray has no resource type: "
        "https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsx-ray.html",
    ),
    Allowed(
        action="logs:*LogDeliver*",
        reason="Step Functions sets up its log delivery on AWS; the laptop cloud writes no machine logs. "
        "https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html",
    ),
    Allowed(action="logs:*ResourcePolic*", reason="Part of the log delivery of Step Functions, see above."),
    Allowed(action="logs:DescribeLogGroups", reason="Part of the log delivery of Step Functions, see above."),
    Allowed(
        action="ec2:*",
        reason="Lambda makes the network interfaces of a function in a VPC; the laptop cloud has no network. "
        "https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html",
    ),
    *(
        Allowed(
            action="kms:*",
            kind=f"handler {handler}",
            reason="DynamoDB, SQS and SNS use the key in the caller's name, Kinesis in the event source mapping's; the "
            "laptop cloud does not encrypt there. "
            "https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html#conditions-kms-via-service",
        )
        for handler in ("score_readings", "assign_variant", "record_outcome", "evaluate_test", "start_retraining")
    ),
    Allowed(
        action="kms:Decrypt",
        kind="role Gateway*",
        reason="S3 decrypts the parts of an upload when it is completed; the laptop cloud keeps them plain. "
        "https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuAndPermissions.html",
    ),
    Allowed(
        action="glue:GetTableVersion*",
        kind="role Gateway*",
        reason="The laptop cloud keeps no versions of tables. Firehose asks for the newest one: "
        "https://docs.aws.amazon.com/firehose/latest/dev/controlling-access.html#using-iam-glue",
    ),
    *(
        Allowed(
            action=action,
            resource=resource,
            kind="role *",
            reason="AWS checks a call on an entry of the catalog on its ancestors, too, and a grant of ours names all "
            "three for all of its actions; the laptop cloud checks the entry alone. "
            "https://docs.aws.amazon.com/glue/latest/dg/glue-specifying-resource-arns.html",
        )
        for action, resource in ANCESTRY
    ),
    *(
        Allowed(
            action="kms:*",
            kind=kind,
            reason="SageMaker AI takes a grant on the key of the volumes in the name of who updates an endpoint; the "
            "laptop cloud has no volumes. "
            "https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateEndpointConfig.html",
        )
        for kind in ("machine deployment", "machine rebuild")
    ),
    Allowed(
        action="kms:*",
        kind="machine traffic shift",
        reason="DynamoDB uses the key of the claims in the caller's name; the laptop cloud does not encrypt there. "
        "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.usagenotes.html",
    ),
    Allowed(
        action="kms:*",
        kind="machine batch transform",
        reason="SQS uses the key of the dead letters in the caller's name; the laptop cloud does not encrypt there. "
        "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html",
    ),
    Allowed(
        action="ecr:*",
        kind="handler register_candidate",
        reason="SageMaker AI looks up a version's image as the caller of CreateModelPackage; the laptop cloud pulls "
        "none. https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateModelPackage.html",
    ),
)


def reason(kind: str, right: Right) -> str | None:
    """Return why a right of a kind of role is not proven; None if it must be."""
    return next((entry.reason for entry in ALLOWED if entry.covers(kind, right)), None)


# Actions that IAM knows for every resource only, of all roles, those of machines and jobs as well. Where a condition
# narrows them, the statement has it. Source: https://docs.aws.amazon.com/service-authorization/latest/reference/
WITHOUT_RESOURCE = (
    "xray:PutTraceSegments", "xray:PutTelemetryRecords", "xray:GetSamplingRules", "xray:GetSamplingTargets",
    "logs:CreateLogDelivery", "logs:GetLogDelivery", "logs:UpdateLogDelivery", "logs:DeleteLogDelivery",
    "logs:ListLogDeliveries", "logs:PutResourcePolicy", "logs:DescribeResourcePolicies", "logs:DescribeLogGroups",
    "ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets", "cloudwatch:GetMetricData", "cloudwatch:PutMetricData",
    "ecr:GetAuthorizationToken", "iot:RegisterThing", "iot:ListAttachedPolicies", "iot:ListPrincipalPolicies",
)  # fmt: skip


def has_no_resource(action: str) -> bool:
    """Tell whether IAM knows no resource for an action, so that its statement must say ``*``."""
    return action in WITHOUT_RESOURCE
