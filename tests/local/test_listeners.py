"""The laptop cloud listens on the loopback interface only."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cdk_ml_lens.local import LaptopCloud

LISTEN = "0A"


def listening_addresses(pid: int) -> Iterator[str]:
    """Yield the hexadecimal local address of each socket on which ``pid`` listens."""
    inodes = set()
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        target = os.readlink(descriptor)
        if target.startswith("socket:["):
            inodes.add(target[8:-1])
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == LISTEN and fields[9] in inodes:
                yield fields[1].split(":")[0]


@pytest.mark.laptop_cloud
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_every_listener_is_on_127_0_0_1(laptop_cloud: LaptopCloud) -> None:
    laptop_cloud.client("s3").list_buckets()
    addresses = list(listening_addresses(laptop_cloud.pid))
    assert len(addresses) == 2  # the gateway and MQTT
    assert set(addresses) == {"0100007F"}
