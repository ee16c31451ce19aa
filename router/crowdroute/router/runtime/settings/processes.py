"""The processes that share an installation's shards."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from crowdroute.router.runtime.settings.values import Address


class PeerTlsSettings(BaseModel):
    """Files in PEM form; each group shows a certificate of these authorities to the others."""

    model_config = ConfigDict(extra="forbid")

    certificate: Path
    key: Path
    authorities: Path
    name: str = ""
    """The name that every group's certificate is of; unset: its address."""


class OtherGroup(BaseModel):
    """A process that serves other shards of the installation."""

    model_config = ConfigDict(extra="forbid")

    shards: Annotated[list[int], Field(min_length=1)]
    """Numbers of its shards."""
    peers: Address
    """Where it serves its peers."""
    public: Address
    """Where clients reach it."""


class PeerSettings(BaseModel):
    """The other processes of an installation whose shards are served by several."""

    model_config = ConfigDict(extra="forbid")

    address: Address
    """Where this process serves the others; clients have no business there."""
    secret_file: Path
    """File with the secret that all of them share, at least 32 characters."""
    others: list[OtherGroup] = []
    """Who serves the other shards; this process serves those that nobody there does."""
    generation: Annotated[int, Field(ge=1)] = 1
    """Number of this division of shards; the same in all processes, and higher after each change."""
    tls: PeerTlsSettings | None = None
    """Unset: no encryption between processes, which is for one machine only."""


class ClusterSettings(BaseModel):
    """Processes on Ray that share the shards."""

    model_config = ConfigDict(extra="forbid")

    ray: str = "auto"
    """host:port of Ray's head; `auto` takes the one that a node on this machine belongs to."""
    actors: Annotated[int, Field(ge=1, le=1024)] = 1
    """How many, spread over the nodes."""
