"""Ports that are free now and may be kept in a file."""

from __future__ import annotations

import socket

import pytest

from local_services import ports
from local_services.errors import PortTaken


def test_a_port_with_a_listener_is_not_free() -> None:
    with socket.create_server((ports.HOST, 0)) as listener:
        taken = listener.getsockname()[1]
        assert not ports.is_free(taken)
    assert ports.is_free(taken)


def test_free_ports_differ_and_lie_below_those_of_outgoing_connections() -> None:
    chosen = ports.free_ports(7)
    assert len(set(chosen)) == 7
    assert all(20_000 <= port < 30_000 for port in chosen)


def test_ports_that_are_spoken_for_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "KEPT_PORTS", range(20_000, 20_000 + ports.ATTEMPTS))
    monkeypatch.setattr(ports, "is_free", lambda port: True)
    taken = range(20_000, 20_000 + ports.ATTEMPTS - 2)
    assert sorted(ports.free_ports(2, taken)) == [taken.stop, taken.stop + 1]


def test_no_free_port_is_an_error_that_names_the_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "is_free", lambda port: False)
    with pytest.raises(PortTaken, match="KAFKA_PORT, KAFKA_CONTROLLER_PORT and REDIS_PORT"):
        ports.free_ports(1)
