"""The address plan: one subnet per zone, cut from the VPC's block by arithmetic, never by a lookup."""

from __future__ import annotations

import ipaddress

from cdk_ml_lens.core.errors import Faults

_PARTS_BITS = 2  # quarters: up to three zones, and one left over


def plan(cidr: str, zones: int) -> list[str]:
    """Return the CIDR block of each zone's subnet.

    Parameters
    ----------
    cidr : str
        The VPC's IPv4 block.
    zones : int
        How many zones.

    Raises
    ------
    PropError
        When the block is no private IPv4 network from /16 to /26, or there are not 2 or 3 zones. AWS takes subnets from
        /16 to /28. Source: https://docs.aws.amazon.com/vpc/latest/userguide/vpc-cidr-blocks.html
    """
    faults = Faults("network")
    faults.within("zones", zones, 2, 3)
    block = _private(cidr)
    faults.unless(block is not None, "cidr", "be a private IPv4 block from /16 to /26", cidr)
    faults.raise_any()
    assert block is not None
    return [str(subnet) for subnet in list(block.subnets(prefixlen_diff=_PARTS_BITS))[:zones]]


def _private(cidr: str) -> ipaddress.IPv4Network | None:
    try:
        block = ipaddress.IPv4Network(cidr)
    except ValueError:
        return None
    return block if block.is_private and 16 <= block.prefixlen <= 26 else None
