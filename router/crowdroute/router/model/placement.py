"""Who may own which shard: what the supervisor writes down before it lets anybody serve.

A *node* is a machine of the cluster, an *actor* a process on one that serves shards, and an *incarnation* one
life of that process. A *grant* lets one incarnation own one shard; its generation is given once and to nobody
else.
"""

from __future__ import annotations

import msgspec


class Wanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How large the cluster is to be."""

    shards: int = 0
    """Partitions of the log; the number never falls, because streams live in them."""
    actors: int = 0
    """Processes that share the shards; 0 for a cluster that is down."""


class Grant(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Leave to own one shard."""

    actor: str
    incarnation: str
    """The life of the actor that it is for; the next one needs a grant of its own."""
    generation: int
    """The placement that it was given in; the claim in the shard's log repeats it."""
    recalled: bool = False
    """Whether the shard is to be handed over; for ever, since its owner may have begun to."""
    address: str = ""
    """host:port of its gRPC, so that who leads next can ask whether it lives before it has said anything."""


class Placement(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One generation of the placement, whole."""

    generation: int = 0
    wanted: Wanted = Wanted()
    seats: dict[str, str] = {}
    """The node that each actor is to run on."""
    homes: dict[int, str] = {}
    """The actor that each shard is to live in."""
    grants: dict[int, Grant] = {}
    """Who may own each shard now."""
    pinned: dict[int, str] = {}
    """Shards that a person gave to an actor; they live elsewhere only while it is away or drained."""
    drained: frozenset[str] = frozenset()
    """Actors, and addresses of nodes, that a person took out of service: a node that is started again has
    another id."""
    retiring: dict[str, str] = {}
    """Of a rolling restart: the incarnation of each actor that is still to be replaced."""
    turn: str = ""
    """The actor that the rolling restart is at; empty between two."""
