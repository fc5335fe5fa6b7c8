"""Keeps MiniStack on the loopback interface: MQTT on a socket of ours, and no use of a Docker daemon."""

from __future__ import annotations

import asyncio
import socket

from ministack import app
from ministack.services import iot


def install(mqtt: socket.socket) -> None:
    """Serve MQTT on ``mqtt``; MiniStack itself would bind 0.0.0.0 whatever ``BIND_HOST`` says."""

    async def start_locked() -> None:
        if iot._mtls_server is not None:
            return
        loop = asyncio.get_running_loop()
        iot._mtls_server = await loop.create_server(iot._MtlsAcceptor, sock=mqtt)
        iot._mtls_loop = loop

    iot._mtls_start_locked = start_locked
    app._docker_socket_present = lambda: False
