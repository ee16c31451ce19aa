"""What several settings are made of."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator

from crowdroute.router.adapters.objects import check_url


def _host_and_port(address: str) -> str:
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit() or int(port) > 65_535:
        raise ValueError("give host:port, for example 127.0.0.1:7070; port 0 takes a free one")
    return address


Address = Annotated[str, AfterValidator(_host_and_port)]

Url = Annotated[str, AfterValidator(check_url)]
"""Of a folder that fsspec has a driver for."""
