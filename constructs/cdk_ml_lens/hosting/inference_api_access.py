"""ApiAccess: who may call an inference API, through which firewall. There is no way to leave it open."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import aws_cdk as cdk

from cdk_ml_lens.core.errors import Faults

if TYPE_CHECKING:
    from aws_cdk import aws_cognito as cognito

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,63}")
_REGIONAL_ACL = re.compile(r"arn:[a-z-]+:wafv2:[a-z0-9-]+:\d{12}:regional/webacl/[^/]+/[^/]+")


@dataclass(frozen=True, kw_only=True)
class Firewall:
    """An AWS WAF web ACL in front of the API; make one with `managed` or `existing`.

    Parameters
    ----------
    web_acl_arn : str, optional
        An ACL that exists. Default: one is made.
    requests_per_5_minutes : int
        Of the one that is made: requests of one address after which it is blocked, from 10 to 2,000,000,000.

    Raises
    ------
    PropError
        When the ACL is not a regional one: API Gateway takes no other. Source:
        https://docs.aws.amazon.com/waf/latest/APIReference/API_AssociateWebACL.html
    """

    web_acl_arn: str | None = None
    requests_per_5_minutes: int = 10_000

    def __post_init__(self) -> None:
        faults = Faults("firewall")
        faults.within("requests_per_5_minutes", self.requests_per_5_minutes, 10, 2_000_000_000)
        arn = self.web_acl_arn
        if arn is not None and not cdk.Token.is_unresolved(arn):
            faults.unless(_REGIONAL_ACL.fullmatch(arn) is not None, "web_acl_arn", "be a regional web ACL", arn)
        faults.raise_any()

    @staticmethod
    def managed(*, requests_per_5_minutes: int = 10_000) -> Firewall:
        """Make an ACL of AWS's common and known-bad-input rules, and a rate per address."""
        return Firewall(requests_per_5_minutes=requests_per_5_minutes)

    @staticmethod
    def existing(web_acl_arn: str) -> Firewall:
        """Use an ACL that somebody else keeps."""
        return Firewall(web_acl_arn=web_acl_arn)


@dataclass(frozen=True, kw_only=True)
class ApiAccess:
    """Who may call; make one with `iam`, `cognito` or `api_key`.

    Parameters
    ----------
    kind : {"iam", "cognito", "api_key"}
        How callers show who they are.
    user_pool : IUserPool, optional
        For ``cognito``.
    scopes : tuple of str
        For ``cognito``: OAuth scopes of which a token must have one.
    clients : tuple of str
        For ``api_key``: one key each.
    requests_per_day : int, optional
        For ``api_key``: quota of each key.
    firewall : Firewall, optional
        In front of everything.
    """

    kind: str
    user_pool: cognito.IUserPool | None = None
    scopes: tuple[str, ...] = ()
    clients: tuple[str, ...] = field(default=())
    requests_per_day: int | None = None
    firewall: Firewall | None = None

    def __post_init__(self) -> None:
        faults = Faults("API access")
        hint = "an API that anybody may call is not made here"
        faults.unless(self.kind in ("iam", "cognito", "api_key"), "kind", "be iam, cognito or api_key", self.kind, hint)
        if self.kind == "cognito":
            faults.unless(self.user_pool is not None, "user_pool", "be given", self.user_pool)
        if self.kind == "api_key":
            named = all(_NAME.fullmatch(name) for name in self.clients) and len(set(self.clients)) == len(self.clients)
            rule = "name at least one client, each once, with letters, digits and hyphens"
            faults.unless(bool(self.clients) and named, "clients", rule, list(self.clients))
        if self.requests_per_day is not None:
            faults.unless(self.requests_per_day >= 1, "requests_per_day", "be at least 1", self.requests_per_day)
        faults.raise_any()

    @staticmethod
    def iam(*, firewall: Firewall | None = None) -> ApiAccess:
        """Callers sign with AWS credentials and need ``execute-api:Invoke``; see `InferenceApi.grant_invoke`."""
        return ApiAccess(kind="iam", firewall=firewall)

    @staticmethod
    def cognito(
        user_pool: cognito.IUserPool, *, scopes: Sequence[str] = (), firewall: Firewall | None = None
    ) -> ApiAccess:
        """Callers send a token of a user pool: an ID token, or with ``scopes`` an access token that has one of them."""
        return ApiAccess(kind="cognito", user_pool=user_pool, scopes=tuple(scopes), firewall=firewall)

    @staticmethod
    def api_key(
        *, clients: Sequence[str], requests_per_day: int | None = None, firewall: Firewall | None = None
    ) -> ApiAccess:
        """Callers send ``x-api-key``; one key per client, in a usage plan with the limits' rate.

        AWS advises against keys as the only authorization: they do not expire and are not secret in logs of clients.
        Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-api-usage-plans.html
        """
        return ApiAccess(kind="api_key", clients=tuple(clients), requests_per_day=requests_per_day, firewall=firewall)
