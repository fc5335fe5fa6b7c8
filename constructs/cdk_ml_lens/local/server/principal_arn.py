"""The condition key ``aws:PrincipalArn`` of a role's session is the role's ARN; MiniStack gives the session's."""

from __future__ import annotations

from typing import Any

from ministack.core import iam_evaluator
from ministack.services import iam


def install() -> None:
    """Answer conditions on ``aws:PrincipalArn`` as IAM does.

    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
    """
    original = iam_evaluator._resolve_condition_key

    def resolve(key: str, context: Any) -> Any:
        found = original(key, context)
        return role_arn(found) if key.lower() == "aws:principalarn" else found

    iam_evaluator._resolve_condition_key = resolve


def role_arn(principal_arn: str) -> str:
    """Return the role of a session's ARN; any other ARN as it is."""
    if ":assumed-role/" not in principal_arn:
        return principal_arn
    role = iam._roles.get(iam_evaluator._role_name_from_assumed_arn(principal_arn))
    return principal_arn if role is None else str(role["Arn"])
