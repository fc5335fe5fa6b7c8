"""Who makes the request that runs now, and what IAM says about a further action that the request implies."""

from __future__ import annotations

import contextvars
from typing import Any

from ministack import app
from ministack.core import iam_evaluator, router
from ministack.core.responses import get_account_id, get_region
from ministack.services import iam

_key: contextvars.ContextVar[str] = contextvars.ContextVar("access_key", default="")


def remember(headers: dict[str, str], query_params: dict[str, Any]) -> None:
    """Keep the caller for the rest of this request and all that it starts."""
    _key.set(router.extract_access_key_id(headers, query_params) or "")


def denied(action: str, arn: str, context: dict[str, Any] | None = None) -> str | None:
    """Return who is refused ``action`` on ``arn``, ``None`` if the caller may do it or IAM is not enforced."""
    if not app.AUTH:
        return None
    service = action.split(":")[0]
    refusal = iam_evaluator.enforce(_key.get(), action, service, get_region(), arn, context)
    if refusal is None:
        return None
    return str(getattr(refusal, "principal_arn", None) or "the caller")


def may(action: str, arn: str, context: dict[str, Any] | None = None) -> bool:
    """Tell whether the caller may do ``action`` on ``arn``."""
    return denied(action, arn, context) is None


def role_denied(role: str, session: str, action: str, arn: str, keys: dict[str, Any] | None = None) -> str | None:
    """Return who is refused ``action`` on ``arn`` when a service acts as ``role``; ``None`` if nobody is."""
    if not app.AUTH:
        return None
    account, name = get_account_id(), role.rsplit("/", 1)[-1]
    who = f"arn:aws:sts::{account}:assumed-role/{name}/{session}"
    context = iam_evaluator.EvalContext(
        principal_arn=who,
        principal_type="AssumedRole",
        principal_account=account,
        action=action,
        resource_arn=arn,
        region=get_region(),
        service_context=keys or {},
    )
    limits = iam_evaluator._permissions_boundary(iam._roles, name, account)
    found = iam_evaluator.evaluate(context, iam_evaluator._gather_role_policies(name, account), *limits)
    return None if found.decision == "Allow" else who
