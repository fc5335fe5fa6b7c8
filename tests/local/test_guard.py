"""Nothing but this machine is ever touched."""

from __future__ import annotations

from pathlib import Path

import pytest

from cdk_ml_lens.core.errors import PropError
from cdk_ml_lens.local import LaptopCloud, guard


@pytest.mark.parametrize(
    "url",
    [
        "https://sts.us-east-1.amazonaws.com",
        "http://10.0.0.4:4566",
        "http://0.0.0.0:4566",
        "http://localhost.example.com",
        "http://127.0.0.1.nip.io:4566",
        "ftp://127.0.0.1",
        "127.0.0.1:4566",
    ],
)
def test_an_endpoint_off_the_loopback_interface_is_refused(url: str, tmp_path: Path) -> None:
    with pytest.raises(PropError, match=r"endpoint_url must be on the loopback interface, got .*; the laptop cloud"):
        LaptopCloud(endpoint_url=url, mqtt_port=1, state_dir=tmp_path)


@pytest.mark.parametrize("url", ["http://127.0.0.1:4566", "http://localhost:1", "http://[::1]:80", "https://127.8.9.1"])
def test_a_loopback_endpoint_passes(url: str) -> None:
    assert guard.require_loopback(url) == url


def test_a_real_account_is_refused() -> None:
    with pytest.raises(PropError, match="account must be 000000000000 for the laptop cloud, got '123456789012'"):
        guard.require_account("123456789012")
