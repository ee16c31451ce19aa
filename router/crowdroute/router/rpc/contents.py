"""Reading from the content store what goes with ids: items, workers, remarks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice

import msgspec

from crowdroute.router.errors import LogCorrupt
from crowdroute.router.model import content
from crowdroute.router.model.content import ItemContent, WorkerContent
from crowdroute.router.model.ids import Id
from crowdroute.router.rpc.convert.content import decode_item
from crowdroute.router.runtime.engine import Engine

AT_ONCE = 32
"""Items read at once: each may be as large as a message, and all of them lie in memory together."""

_encoder = msgspec.msgpack.Encoder()
_workers = msgspec.msgpack.Decoder(WorkerContent)


async def items_of(engine: Engine, items: Sequence[Id]) -> dict[Id, ItemContent]:
    """Give those of some items whose content exists; ask for `AT_ONCE` at most."""
    bodies = await engine.fetch([content.item(item) for item in items])
    found = {}
    for item in items:
        body = bodies.get(content.item(item))
        if body is not None:
            found[item] = decode_item(body)
    return found


async def external_ids_of(engine: Engine, items: Iterable[Id]) -> dict[Id, str]:
    """Give the external ids of any number of items, keeping nothing else of them."""
    names: dict[Id, str] = {}
    rest = iter(items)
    while some := tuple(islice(rest, AT_ONCE)):
        for item, found in (await items_of(engine, some)).items():
            names[item] = found.external_id
    return names


async def comments_of(engine: Engine, assignments: Iterable[Id]) -> dict[Id, str]:
    """Give the remarks that came with assignments, where there are any; what was reported stands first."""
    keys = {one: (content.report(one), content.comment(one)) for one in assignments}
    bodies = await engine.fetch(key for both in keys.values() for key in both)
    written = {one: [bodies[key].decode() for key in both if key in bodies] for one, both in keys.items()}
    return {assignment: "\n".join(texts) for assignment, texts in written.items() if texts}


async def worker_names_of(engine: Engine, workers: Iterable[Id]) -> dict[Id, str]:
    """Give the external ids of workers, where they have one and are not erased."""
    keys = {worker: content.worker(worker) for worker in workers}
    bodies = await engine.fetch(keys.values())
    return {worker: decode_worker(bodies[key]).external_id for worker, key in keys.items() if key in bodies}


def encode_worker(worker: WorkerContent) -> bytes:
    """Give what names a worker as the content store keeps it."""
    return _encoder.encode(worker)


def decode_worker(body: bytes) -> WorkerContent:
    """Read what `encode_worker` gave.

    Raises:
        LogCorrupt: it is not that.
    """
    try:
        return _workers.decode(body)
    except msgspec.DecodeError as error:
        raise LogCorrupt(
            f"the content store holds what is no worker ({error}): restore it from a backup"
        ) from error
