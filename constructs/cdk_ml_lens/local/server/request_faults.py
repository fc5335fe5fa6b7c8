"""Refuses a share of the requests to a service, as ``faults.json`` in the state folder says."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ministack import app

from .settings import Settings

FILE = "faults.json"
SERVICES = ("dynamodb", "sqs", "firehose", "kinesis", "s3", "sagemaker", "sns")
Answer = tuple[int, dict[str, str], bytes]
Handler = Callable[..., Awaitable[Any]]
_INVOCATION = re.compile(r"/endpoints/[^/]+/invocations")
_S3 = {"GET": "GetObject", "PUT": "PutObject", "DELETE": "DeleteObject", "HEAD": "HeadObject"}


@dataclass(frozen=True, kw_only=True)
class Rule:
    """Which requests are refused.

    Parameters
    ----------
    service
        One of `SERVICES`.
    operation
        Name of the operation; ``*`` is any.
    share
        Share of those requests, 0 to 1.
    code, status
        The error.
    """

    service: str
    operation: str = "*"
    share: float = 1.0
    code: str = "ThrottlingException"
    status: int = 400

    def hits(self, service: str, operation: str, dice: float) -> bool:
        """Tell whether a request is refused."""
        return self.service == service and self.operation in ("*", operation) and dice < self.share


class Rules:
    """The rules in the file, read again when it changes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, int] | None = None
        self._rules: tuple[Rule, ...] = ()
        self._dice = random.Random(0)

    def find(self, service: str, operation: str) -> Rule | None:
        """Return the rule that refuses a request."""
        self._read()
        hits = (rule for rule in self._rules if rule.hits(service, operation, self._dice.random()))
        return next(hits, None)

    def _read(self) -> None:
        try:
            stat = self._path.stat()
        except FileNotFoundError:
            self._seen, self._rules = None, ()
            return
        if (stat.st_mtime_ns, stat.st_size) != self._seen:
            self._rules = tuple(Rule(**entry) for entry in json.loads(self._path.read_text()))
            self._seen = (stat.st_mtime_ns, stat.st_size)


def install(settings: Settings) -> None:
    """Put the rules in front of each service."""
    rules = Rules(settings.state_dir / FILE)
    for service in SERVICES:
        app.SERVICE_HANDLERS[service] = _guarded(service, app.SERVICE_HANDLERS[service], rules)


def _guarded(service: str, handler: Handler, rules: Rules) -> Handler:
    async def guarded(method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]) -> Any:
        operation = _operation(service, method, path, headers)
        rule = rules.find(service, operation)
        if rule is None:
            return await handler(method, path, headers, body, query)
        return _refusal(rule)

    return guarded


def _operation(service: str, method: str, path: str, headers: dict[str, str]) -> str:
    if service == "s3":
        return _S3.get(method, method)
    if _INVOCATION.fullmatch(path):
        return "InvokeEndpoint"
    return headers.get("x-amz-target", "").split(".")[-1]


def _refusal(rule: Rule) -> Answer:
    text = "refused by the rules in faults.json"
    if rule.service == "s3":
        body = f"<Error><Code>{rule.code}</Code><Message>{text}</Message></Error>"
        return rule.status, {"Content-Type": "application/xml"}, body.encode()
    answer = {"__type": rule.code, "message": text}
    headers = {"Content-Type": "application/x-amz-json-1.0", "x-amzn-ErrorType": rule.code}
    return rule.status, headers, json.dumps(answer).encode()
