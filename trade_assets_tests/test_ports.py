"""Ports: the message of one that is taken."""

import os
import socket

import pytest

from trade_assets.errors import PortInUseError
from trade_assets.ports import LOOPBACK, PortNeed, free_port, is_free, require_free


def test_a_free_port_is_accepted() -> None:
    require_free(PortNeed(free_port(), "a test", "TRADE_ASSETS_SOMETHING"))


def test_a_taken_port_is_named_with_purpose_holder_and_setting() -> None:
    with socket.create_server((LOOPBACK, 0)) as server:
        port = server.getsockname()[1]
        assert not is_free(port)
        with pytest.raises(PortInUseError) as caught:
            require_free(PortNeed(port, "Redis", "TRADE_ASSETS_REDIS_URL"))
    message = str(caught.value)
    for part in (f"port {port}", "Redis", f"pid {os.getpid()}", "TRADE_ASSETS_REDIS_URL"):
        assert part in message


def test_a_port_is_free_again_after_its_connections_closed() -> None:
    with socket.create_server((LOOPBACK, 0)) as server:
        port = server.getsockname()[1]
        client = socket.create_connection((LOOPBACK, port))
        accepted, _ = server.accept()
        accepted.close()  # this side closes first: its end goes to TIME_WAIT
        client.close()
    assert is_free(port)
