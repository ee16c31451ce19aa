"""The Python client: everything a front-end, an operator or a vendor says to crowdroute, with safe retries.

    from crowdroute.client import Client

    with Client("localhost:7070", token) as client:
        for offer in client.work(project_id):
            client.submit(offer, {"label": "cat"})

`Client` and `AsyncClient` offer the same: short methods for annotators, and the three services whole
(`annotation`, `operations`, `vendor`) with the generated messages. Needs grpcio and protobuf only.
"""

from __future__ import annotations

from crowdroute.client.aio import AsyncClient
from crowdroute.client.connection import Connection
from crowdroute.client.errors import ClientError, NotConnected, Refused
from crowdroute.client.sync import Client

__all__ = ["AsyncClient", "Client", "ClientError", "Connection", "NotConnected", "Refused"]
