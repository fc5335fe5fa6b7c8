"""Who makes the request that runs now, and what IAM says about a further action that the request implies."""

from __future__ import annotations

import contextvars
from typing import Any

from ministack import app
from ministack.core import iam_evaluator, router
from ministack.core.responses import get_region

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
