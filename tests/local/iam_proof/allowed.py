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
    Allowed(
        action="kms:*",
        kind="handler *",
        reason="DynamoDB, SQS, SNS and Kinesis use the key in the caller's name; the laptop cloud does not encrypt "
        "there. https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html#conditions-kms-via-service",
    ),
)


def reason(kind: str, right: Right) -> str | None:
    """Return why a right of a kind of role is not proven; None if it must be."""
    return next((entry.reason for entry in ALLOWED if entry.covers(kind, right)), None)
