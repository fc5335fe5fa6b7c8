"""Refuses everything that is not the laptop: endpoints off the loopback interface, and real accounts."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from cdk_ml_lens.core.errors import Fault, PropError

ACCOUNT = "000000000000"


def require_loopback(endpoint_url: str) -> str:
    """Return ``endpoint_url`` if its host is this machine's loopback interface.

    Only ``localhost`` and literal loopback addresses pass: a name is never looked up.

    Raises
    ------
    PropError
        If the host is anything else.
    """
    parts = urlsplit(endpoint_url)
    if parts.scheme not in ("http", "https") or not _is_loopback(parts.hostname or ""):
        raise PropError(
            Fault(
                prop="endpoint_url",
                rule="be on the loopback interface",
                value=endpoint_url,
                hint="the laptop cloud never touches AWS",
            )
        )
    return endpoint_url


def require_account(account: str) -> str:
    """Return ``account`` if it is the laptop cloud's.

    Raises
    ------
    PropError
        If it is another one.
    """
    if account != ACCOUNT:
        raise PropError(
            Fault(prop="account", rule=f"be {ACCOUNT}", value=account, hint="a real account is never touched"),
            which="the laptop cloud",
        )
    return account


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
