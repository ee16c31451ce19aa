"""Save a shard's streams as named sections, and take them over again."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from crowdroute.router.errors import SnapshotUnusable
from crowdroute.router.machine.balances import Named, UntoldBalances
from crowdroute.router.machine.inputs import InputMarks
from crowdroute.router.machine.streams import Streams, new_stream

VERSION = 1
"""Version of the sections; a snapshot of another version is not read, the log is folded instead."""

_SHARD, _INPUTS, _REPLIES = "shard", "inputs", "replies"


def pack(streams: Streams, untold: UntoldBalances, inputs: InputMarks) -> dict[str, bytes]:
    """Give everything as named sections."""
    names = [(name, stream.last_us) for name, stream in streams.items()]
    sections = {_SHARD: msgspec.msgpack.encode((VERSION, names, untold.pack())), _INPUTS: inputs.pack()}
    for name, stream in streams.items():
        sections[f"{name}:{_REPLIES}"] = stream.replies.pack()
        for part, raw in stream.machine.pack().items():
            sections[f"{name}:{part}"] = raw
    return sections


def unpack(
    sections: Mapping[str, bytes | memoryview], streams: Streams, untold: UntoldBalances, inputs: InputMarks
) -> None:
    """Fill what is empty with what `pack` gave.

    Raises:
        SnapshotUnusable: the sections are of an unknown version or do not fit together.
    """
    kind = tuple[int, list[tuple[str, int]], list[tuple[Named, int]]]
    try:
        version, names, waiting = msgspec.msgpack.decode(sections[_SHARD], type=kind)
        if version != VERSION:
            raise SnapshotUnusable(f"the snapshot has shard layout {version}, this release reads {VERSION}")
        parts: dict[str, dict[str, bytes | memoryview]] = {name: {} for name, _ in names}
        for section, raw in sections.items():
            name, _, part = section.partition(":")
            if part:
                parts[name][part] = raw
        for name, last_us in names:
            stream = new_stream(name)
            stream.machine.unpack(parts[name])
            stream.replies.unpack(parts[name][_REPLIES])
            stream.last_us = last_us
            streams.begin(name, stream)
        untold.unpack(waiting)
        if _INPUTS in sections:  # a snapshot from before there were inputs has none
            inputs.unpack(sections[_INPUTS])
    except (KeyError, msgspec.DecodeError) as error:
        raise SnapshotUnusable(f"the snapshot does not fit together: {error}") from error
